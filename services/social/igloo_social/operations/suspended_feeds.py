"""Telling phones of an author who was hidden for a while, and whose followers were never set apart."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.operations.account_tasks import note_place

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from igloo_social.operations.account_tasks import Task

FOLLOWERS_AT_ONCE = 1_000

_FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_END: Final = (datetime.max.replace(tzinfo=UTC), UUID(int=0))


def tell_who_stayed(session: Session, task: Task, *, now: datetime) -> bool:
    """Have some followers look anew at what came out before the author did; False when all of them have.

    These are the follows that a suspension had not reached when it ended: nobody has told their phones, which
    may have asked meanwhile, and found nothing of the author. The walk comes before anything is put back: who
    is put back is told of all posts.
    """
    at, id_ = task.place_at or _FIRST[0], task.place_id or _FIRST[1]
    if at == _END[0]:
        return False
    batch = {"account_id": task.account_id, "at": at, "id": id_, "now": now, "limit": FOLLOWERS_AT_ONCE}
    told = TELL_WHO_STAYED.rows(session, batch)
    note_place(session, task, (told[-1][0], told[-1][1]) if len(told) == FOLLOWERS_AT_ONCE else _END)
    return bool(told)


TELL_WHO_STAYED = Statement("""
WITH batch AS MATERIALIZED (
    SELECT created_at, from_user FROM relations
    WHERE to_user = %(account_id)s AND relation_type = 'f' AND (created_at, from_user) > (%(at)s, %(id)s)
    ORDER BY created_at, from_user LIMIT %(limit)s
), newest AS (
    SELECT published_at FROM posts
    WHERE author_id = %(account_id)s
        AND state = 'published' AND visibility <> 'private' AND deleted_at IS NULL
    ORDER BY published_at DESC, id DESC LIMIT 1
), told AS (
    INSERT INTO feed_changes AS present (owner_id, changed_at, subject_id, kind, published_before)
    SELECT from_user, %(now)s, %(account_id)s, 'a', published_at + interval '1 microsecond'
    FROM batch, newest
    ON CONFLICT (owner_id, changed_at, subject_id, kind) DO UPDATE
    SET published_before = greatest(present.published_before, excluded.published_before)
)
SELECT created_at, from_user FROM batch ORDER BY created_at, from_user
""")

"""Removes news in batches: of and about people who go, and what is too old to be news."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.operations.notification_groups import Removal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

KEPT_FOR: Final = timedelta(days=90)
"""As long as people are shown what they were told."""


def withdraw_told_to(session: Session, person_id: UUID, *, limit: int) -> int:
    """Remove some of what a person was told; return how much, fewer than the limit when nothing is left."""
    return _remove(session, TOLD_TO, {"person_id": person_id, "limit": limit})


def withdraw_told_of(session: Session, person_id: UUID, *, limit: int) -> int:
    """Take back some of what others were told that a person did; return how much, likewise."""
    return _remove(session, TOLD_OF, {"person_id": person_id, "limit": limit})


def prune_notifications(session: Session, *, now: datetime, limit: int) -> int:
    """Remove some of what was told longer ago than KEPT_FOR, the oldest first; return how much, likewise."""
    before = int((now - KEPT_FOR).timestamp() * 1000)
    oldest_kept = UUID(int=before << 80)
    return _remove(session, OLD, {"oldest_kept": oldest_kept, "limit": limit})


def group_strays(session: Session, *, limit: int) -> int:
    """Group some facts that the release before told without a group, while it was being replaced.

    Returns how many it saw, likewise. That release named no posts either: facts of posts that have been
    deleted since were not found then, and go now.
    """
    return _GROUP_STRAYS.count(session, {"limit": limit})


def _remove(session: Session, find: Statement, parameters: Mapping[str, object]) -> int:
    found = [fact_id for (fact_id,) in find.rows(session, parameters)]
    return BY_IDS.count(session, {"ids": found}) if found else 0


# The look at the post has a LIMIT, or PostgreSQL may rather read all posts. Groups are named in the words of
# policies/notifications.py. That release knew no comments: each fact is another person's.
_GROUP_STRAYS: Final = Statement("""
WITH stray AS (
    SELECT id, kind, object_id, (
        SELECT true FROM posts WHERE posts.id = object_id AND deleted_at IS NOT NULL LIMIT 1
    ) IS NOT NULL AS is_over FROM notifications
    WHERE group_id IS NULL ORDER BY id LIMIT %(limit)s FOR UPDATE OF notifications SKIP LOCKED
), removed AS (
    DELETE FROM notifications WHERE id = ANY(ARRAY(SELECT stray.id FROM stray WHERE is_over))
), grouped AS (
    UPDATE notifications SET
        post_id = CASE WHEN kind IN ('like', 'post_failed') THEN object_id END,
        group_id = left(encode(sha256(convert_to(concat_ws(
            ':',
            recipient_id,
            kind,
            CASE kind WHEN 'like' THEN object_id WHEN 'follow' THEN NULL
                ELSE id END,
            CASE WHEN kind IN ('like', 'follow') THEN (created_at AT TIME ZONE 'UTC')::date END
        ), 'UTF8')), 'hex'), 32)::uuid
    WHERE id = ANY(ARRAY(SELECT stray.id FROM stray WHERE NOT is_over))
    RETURNING group_id, recipient_id, kind, created_at
), counted AS (
    INSERT INTO notification_groups AS present (id, recipient_id, kind, latest_at, actor_count)
    SELECT group_id, recipient_id, kind, max(created_at), count(*) FROM grouped
    GROUP BY group_id, recipient_id, kind ORDER BY group_id
    ON CONFLICT (id) DO UPDATE SET
        latest_at = greatest(present.latest_at, excluded.latest_at),
        actor_count = present.actor_count + excluded.actor_count
)
SELECT id FROM stray
""")
BY_IDS: Final = Removal("id = ANY(%(ids)s::uuid[])")
TOLD_TO: Final = Statement("SELECT id FROM notifications WHERE recipient_id = %(person_id)s LIMIT %(limit)s")
TOLD_OF: Final = Statement("SELECT id FROM notifications WHERE actor_id = %(person_id)s LIMIT %(limit)s")
# Ids begin with the millisecond in which they were made (RFC 9562, section 5.7), as facts are told at once.
OLD: Final = Statement("""
SELECT id FROM notifications WHERE id < %(oldest_kept)s ORDER BY id LIMIT %(limit)s
""")

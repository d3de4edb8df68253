"""How an account becomes one whose posts feeds read, instead of being written to for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.operations.locks import lock_audience

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

PROFILES_AT_ONCE = 5_000
FOLLOWS_AT_ONCE = 1_000

FIRST = UUID(int=0)
"""The place before everybody."""


def mark_popular(session: Session, *, threshold: int, after: UUID) -> UUID:
    """Mark those among the next few people who have so many followers; return the place to go on behind.

    A walk through everybody by their ids, FIRST after the last: an index by count would make each follow
    write to all indexes of profiles. From the mark on new follows are born merged.
    """
    people = {"after": after, "threshold": threshold, "limit": PROFILES_AT_ONCE}
    ((last, count),) = _MARK.rows(session, people)
    return last if count == PROFILES_AT_ONCE else FIRST


def flag_follows(session: Session, *, now: datetime) -> int:
    """Have some older follows of a marked account merged at reading too; return how many, 0 when all are.

    Fan-outs and notes of this author's posts are waited for: each reaches a follower in one way or the other.
    A follow that somebody is ending just now is left to them. Posts from before the follow come into the
    feed, save the newest that it was begun with: the follower's phone is told of the gap.
    """
    author = _AUTHOR.row(session, {})
    if author is None:
        return 0
    lock_audience(session, author)
    return _FLAG.count(session, {"author_id": author[0], "now": now, "limit": FOLLOWS_AT_ONCE})


_MARK = Statement("""
WITH walked AS MATERIALIZED (
    SELECT user_id, follower_count, merged_at_read FROM profiles WHERE user_id > %(after)s
    ORDER BY user_id LIMIT %(limit)s
), popular AS (
    SELECT user_id FROM profiles WHERE user_id = ANY(ARRAY(
        SELECT user_id FROM walked WHERE follower_count >= %(threshold)s AND NOT merged_at_read
    )) ORDER BY user_id FOR NO KEY UPDATE SKIP LOCKED
), marked AS (
    UPDATE profiles SET merged_at_read = true WHERE user_id = ANY(ARRAY(SELECT user_id FROM popular))
)
SELECT (SELECT user_id FROM walked ORDER BY user_id DESC LIMIT 1), (SELECT count(*) FROM walked)
""")
_AUTHOR = Statement("""
SELECT user_id FROM profiles WHERE merged_at_read AND EXISTS (
    SELECT FROM relations WHERE to_user = user_id AND relation_type = 'f' AND NOT is_merged
) LIMIT 1
""")
# Nobody is waited for who holds one of the rows and may be waiting for the audience.
_FLAG = Statement("""
WITH batch AS (
    SELECT from_user, to_user, relation_type FROM relations
    WHERE to_user = %(author_id)s AND relation_type = 'f' AND NOT is_merged
    ORDER BY created_at, from_user LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), flagged AS (
    UPDATE relations SET is_merged = true FROM batch
    WHERE relations.from_user = batch.from_user AND relations.to_user = batch.to_user
        AND relations.relation_type = batch.relation_type
    RETURNING relations.from_user, relations.created_at
), told AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind, published_before)
    SELECT from_user, %(now)s, %(author_id)s, 'a', created_at FROM flagged
    WHERE created_at > (
        SELECT min(published_at) FROM posts WHERE author_id = %(author_id)s
            AND state = 'published' AND visibility <> 'private' AND deleted_at IS NULL
    )
    ON CONFLICT (owner_id, changed_at, subject_id, kind) DO UPDATE
    SET published_before = excluded.published_before
)
SELECT from_user FROM flagged
""")

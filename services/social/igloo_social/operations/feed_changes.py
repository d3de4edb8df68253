"""Notes for the phones that keep a feed: which posts and authors are to be looked at again.

Whoever changes what somebody's feed holds leaves a note in the same transaction, or later: what holds is read
when a phone asks. `now` is when the transaction began, at the earliest: tokens reach back by
`policies.feed_changes.OVERLAP` for those that commit late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.policies.feed_changes import EVERYBODY, LATE_AFTER, NOTES_KEPT_FOR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

BROUGHT_BACK = 100
"""How many of an author's newest posts a feed is told of when they come into it (again)."""


def note_post(
    session: Session, *, post_id: UUID, author_id: UUID, now: datetime, is_for_others: bool
) -> None:
    """Have the author look at a post again, and whoever reads it merged, unless it never was for others."""
    post = {"post_id": post_id, "author_id": author_id, "now": now, "is_for_others": is_for_others}
    _NOTE_POST.run(session, post)


def note_post_of_merged(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Have whoever reads the author merged look at a post again, for an event that came late.

    Some may read it merged only since the post's own transaction left its note.
    """
    _NOTE_POST_OF_MERGED.run(session, {"post_id": post_id, "author_id": author_id, "now": now})


def note_late_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Likewise, of a post that came out too long ago for its own time to lead to it."""
    post = {"post_id": post_id, "author_id": author_id, "now": now, "late_before": now - LATE_AFTER}
    _NOTE_LATE_POST.run(session, post)


def note_author(session: Session, owner_ids: Sequence[UUID], *, author_id: UUID, now: datetime) -> None:
    """Have people look again at whether an author's posts are in their feeds."""
    _NOTE_AUTHOR.run(session, {"owner_ids": list(owner_ids), "author_id": author_id, "now": now})


def bring_back(session: Session, *, owner_id: UUID, author_id: UUID, now: datetime) -> None:
    """Have a person look at an author's newest posts, which have come into their feed, perhaps again.

    At what the author changed of late as well, which nobody has told the person since they left. Where the
    feed may hold, or have held, older posts than these, it has a gap: see `FeedChange.published_before`.
    """
    parameters = {"owner_id": owner_id, "author_id": author_id, "now": now}
    sizes = {"limit": BROUGHT_BACK, "changed_after": now - NOTES_KEPT_FOR}
    _BRING_BACK.run(session, {**parameters, **sizes})


def expire_tokens(session: Session, *, now: datetime) -> None:
    """Have every phone read its feed anew whose token was given before now.

    For a database that was brought back to an earlier time: phones know posts that it does not, and nothing
    here would ever tell them so.
    """
    _EXPIRE_TOKENS.run(session, {"everybody": EVERYBODY, "now": now})


def prune_changes(session: Session, *, now: datetime, limit: int) -> int:
    """Delete some of the notes that no token reaches any more; return how many."""
    batch = {"before": now - NOTES_KEPT_FOR, "limit": limit}
    return _PRUNE_FEED_CHANGES.count(session, batch) + _PRUNE_POST_CHANGES.count(session, batch)


_EXPIRE_TOKENS = Statement("""
INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
VALUES (%(everybody)s, %(now)s, %(everybody)s, 'a') ON CONFLICT DO NOTHING
""")
_NOTE_POST = Statement("""
WITH own AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
    VALUES (%(author_id)s, %(now)s, %(post_id)s, 'p') ON CONFLICT DO NOTHING
)
INSERT INTO post_changes (author_id, changed_at, post_id)
SELECT %(author_id)s, %(now)s, %(post_id)s WHERE %(is_for_others)s::boolean
ON CONFLICT DO NOTHING
""")
_NOTE_POST_OF_MERGED = Statement("""
INSERT INTO post_changes (author_id, changed_at, post_id)
SELECT user_id, %(now)s, %(post_id)s FROM profiles WHERE user_id = %(author_id)s AND merged_at_read
ON CONFLICT DO NOTHING
""")
_NOTE_LATE_POST = Statement("""
INSERT INTO post_changes (author_id, changed_at, post_id)
SELECT author_id, %(now)s, id FROM posts JOIN profiles ON user_id = author_id
WHERE id = %(post_id)s AND author_id = %(author_id)s AND merged_at_read
    AND state = 'published' AND visibility <> 'private' AND posts.deleted_at IS NULL
    AND published_at < %(late_before)s
ON CONFLICT DO NOTHING
""")
_NOTE_AUTHOR = Statement("""
INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
SELECT owner_id, %(now)s, %(author_id)s, 'a' FROM unnest(%(owner_ids)s::uuid[]) AS owner_id
ON CONFLICT DO NOTHING
""")
_BRING_BACK = Statement("""
WITH newest AS (
    SELECT id, published_at, row_number() OVER (ORDER BY published_at DESC, id DESC) AS place FROM posts
    WHERE author_id = %(author_id)s
        AND state = 'published' AND visibility <> 'private' AND deleted_at IS NULL
    ORDER BY published_at DESC, id DESC LIMIT %(limit)s::integer + 1
)
INSERT INTO feed_changes AS present (owner_id, changed_at, subject_id, kind, published_before)
SELECT %(owner_id)s, %(now)s, id, 'p', NULL::timestamptz FROM newest WHERE place <= %(limit)s::integer
UNION
SELECT %(owner_id)s, %(now)s, post_id, 'p', NULL FROM post_changes
WHERE author_id = %(author_id)s AND changed_at > %(changed_after)s
UNION
SELECT %(owner_id)s, %(now)s, %(author_id)s, 'a', published_at + interval '1 microsecond' FROM newest
WHERE place > %(limit)s::integer
ON CONFLICT (owner_id, changed_at, subject_id, kind) DO UPDATE
SET published_before = greatest(present.published_before, excluded.published_before)
""")
# A range of blocks is found by time; ctid names rows that are never updated but by bring_back, just above.
_PRUNE_FEED_CHANGES = Statement("""
DELETE FROM feed_changes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM feed_changes WHERE changed_at < %(before)s LIMIT %(limit)s
))
""")
_PRUNE_POST_CHANGES = Statement("""
DELETE FROM post_changes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM post_changes WHERE changed_at < %(before)s LIMIT %(limit)s
))
""")

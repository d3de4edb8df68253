"""Writes to the materialised feeds: fan-out, backfill and removal, each of which may run late or twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.operations import feed_changes
from igloo_social.operations.locks import lock_audience, share_audience
from igloo_social.policies.feed_changes import LATE_AFTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

BATCH_SIZE = 5_000
"""Followers written to in one statement, well within the statement timeout."""

BACKFILL_SIZE = 100
"""How many of an author's newest posts a new follower's feed starts with."""

_BEFORE_ALL = {"followed_at": datetime(1, 1, 1, tzinfo=UTC), "follower_id": UUID(int=0)}


def fan_out(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Put a post into the feeds that are written to for its author, if it still is one to be shown.

    Holds the author's audience: someone who leaves meanwhile waits, and then removes what was written here.
    """
    share_audience(session, author_id)
    post = {"post_id": post_id, "author_id": author_id, "now": now}
    _to_followers(session, _FAN_OUT, {**post, "late_before": now - LATE_AFTER})
    feed_changes.note_late_post(session, post_id=post_id, author_id=author_id, now=now)


def tell_of_change(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Have everybody look again at a post that was changed and may have reached them."""
    share_audience(session, author_id)
    _to_followers(session, _TELL, {"post_id": post_id, "author_id": author_id, "now": now})
    feed_changes.note_post_of_merged(session, post_id=post_id, author_id=author_id, now=now)


def remove_own_post(session: Session, *, author_id: UUID, post_id: UUID, published_at: datetime) -> None:
    """Take a post out of its author's own feed, in the transaction that deletes it."""
    _REMOVE_OWN.run(session, {"author_id": author_id, "post_id": post_id, "published_at": published_at})


def remove_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Take a deleted post out of the feeds of the author's followers, and tell them.

    Through the followers, for the table has no index by post. A row that stays in the feed of a former
    follower, or of one who reads the author merged by now, is filtered at reading. Nobody is told of a post
    that was the author's alone when it went: whoever had seen it was told as it was closed.
    """
    share_audience(session, author_id)
    published = _PUBLISHED_BEFORE_DELETION.row(session, {"post_id": post_id, "author_id": author_id})
    if published is None:
        return
    published_at, was_for_others = published
    post = {"post_id": post_id, "author_id": author_id, "now": now}
    _to_followers(session, _REMOVE, {**post, "published_at": published_at, "is_told": was_for_others})
    if was_for_others:
        feed_changes.note_post_of_merged(session, post_id=post_id, author_id=author_id, now=now)


def converge(session: Session, *, follower_id: UUID, author_id: UUID, now: datetime) -> None:
    """Make a follower's feed agree with the relation as it is now, whatever the event said."""
    # Unlocked on purpose: either branch looks again under its own lock, and another event follows a change.
    if _JUSTIFIED.rows(session, {"owner_id": follower_id, "author_id": author_id}):
        backfill(session, follower_id=follower_id, author_id=author_id, now=now)
    else:
        remove_between(session, follower_id, author_id, now=now)


def backfill(session: Session, *, follower_id: UUID, author_id: UUID, now: datetime) -> None:
    """Put an author's newest posts into a follower's feed, if the follow still stands, and tell them.

    A follow whose posts are merged at reading needs none of them written.
    """
    share_audience(session, author_id)
    pair = {"owner_id": follower_id, "author_id": author_id}
    _BACKFILL.run(session, {**pair, "limit": BACKFILL_SIZE})
    bring_back(session, owner_id=follower_id, author_id=author_id, now=now)


def bring_back(session: Session, *, owner_id: UUID, author_id: UUID, now: datetime) -> None:
    """Tell a person of an author's posts that are in their feed (again), if they are.

    Not while the person mutes the author: the end of the mute brings them back.
    """
    if _SHOWN.rows(session, {"owner_id": owner_id, "author_id": author_id, "now": now}):
        feed_changes.bring_back(session, owner_id=owner_id, author_id=author_id, now=now)


def remove_between(session: Session, a: UUID, b: UUID, *, now: datetime) -> None:
    """Take the posts of each out of the other's feed, save where a follow stands that no block forbids.

    Call it after the relation rows have changed, in the same transaction.
    """
    lock_audience(session, (a, b))
    for owner_id, author_id in ((a, b), (b, a)):
        _REMOVE_AUTHOR.run(session, {"owner_id": owner_id, "author_id": author_id, "now": now})


def _to_followers(session: Session, statement: Statement, parameters: Mapping[str, object]) -> None:
    """Run a statement for one batch after the other of those whom an author's posts are written to."""
    place: Mapping[str, object] = _BEFORE_ALL
    while True:
        batch = {**parameters, **place, "limit": BATCH_SIZE}
        last = statement.row(session, batch)
        if last is None or last[2] < BATCH_SIZE:
            return
        place = {"followed_at": last[0], "follower_id": last[1]}


# The batch is a range of the index that holds nobody else; its last row and its size come back.
_BATCH = """
batch AS MATERIALIZED (
    SELECT created_at, from_user FROM relations
    WHERE to_user = %(author_id)s AND relation_type = 'f' AND NOT is_merged
        AND (created_at, from_user) > (%(followed_at)s, %(follower_id)s)
    ORDER BY created_at, from_user LIMIT %(limit)s
)
"""
_LAST = """
SELECT created_at, from_user, count(*) OVER () FROM batch ORDER BY created_at DESC, from_user DESC LIMIT 1
"""
# What followers may be shown at all; the rest of the rules is applied at reading, when it is known who looks.
_IS_LISTED = "state = 'published' AND visibility <> 'private' AND deleted_at IS NULL"
_FAN_OUT = Statement(f"""
WITH {_BATCH}, written AS (
    INSERT INTO timeline (owner_id, published_at, post_id, author_id)
    SELECT from_user, published_at, id, author_id FROM batch, posts
    WHERE id = %(post_id)s AND author_id = %(author_id)s AND {_IS_LISTED}
        AND from_user NOT IN (
            SELECT from_user FROM relations WHERE to_user = %(author_id)s AND relation_type = 'b'
        )
        AND from_user NOT IN (
            SELECT to_user FROM relations WHERE from_user = %(author_id)s AND relation_type = 'b'
        )
    ON CONFLICT DO NOTHING
    RETURNING owner_id, published_at
), late AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
    SELECT owner_id, %(now)s, %(post_id)s, 'p' FROM written WHERE published_at < %(late_before)s
    ON CONFLICT DO NOTHING
)
{_LAST}
""")  # noqa: S608 - words of our own
_TELL = Statement(f"""
WITH {_BATCH}, told AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
    SELECT from_user, %(now)s, %(post_id)s, 'p' FROM batch
    ON CONFLICT DO NOTHING
)
{_LAST}
""")  # noqa: S608 - words of our own
# Each feed is looked into by its key, which leaves no plan that would rather read all feeds through. Rows of
# this table never move, so ctid names them.
_REMOVE = Statement(f"""
WITH {_BATCH}, removed AS (
    DELETE FROM timeline WHERE ctid = ANY(ARRAY(
        SELECT entry.ctid FROM batch, LATERAL (
            SELECT timeline.ctid FROM timeline
            WHERE owner_id = from_user AND published_at = %(published_at)s AND post_id = %(post_id)s LIMIT 1
        ) AS entry
    ))
), told AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
    SELECT from_user, %(now)s, %(post_id)s, 'p' FROM batch WHERE %(is_told)s::boolean
    ON CONFLICT DO NOTHING
)
{_LAST}
""")  # noqa: S608 - words of our own
_PUBLISHED_BEFORE_DELETION = Statement("""
SELECT published_at, state = 'published' AND visibility <> 'private' FROM posts
WHERE id = %(post_id)s AND author_id = %(author_id)s AND deleted_at IS NOT NULL AND published_at IS NOT NULL
""")
_REMOVE_OWN = Statement("""
DELETE FROM timeline
WHERE owner_id = %(author_id)s AND published_at = %(published_at)s AND post_id = %(post_id)s
""")
_FOLLOW = """
SELECT is_merged FROM relations AS follow
WHERE from_user = %(owner_id)s AND to_user = %(author_id)s AND relation_type = 'f'
    AND NOT EXISTS (
        SELECT FROM relations AS block WHERE relation_type = 'b' AND (
            block.from_user = %(owner_id)s AND block.to_user = %(author_id)s
            OR block.from_user = %(author_id)s AND block.to_user = %(owner_id)s
        )
    )
"""
_JUSTIFIED = Statement(_FOLLOW)
_SHOWN = Statement(f"""{_FOLLOW}
    AND NOT EXISTS (
        SELECT FROM relations AS mute WHERE relation_type = 'm'
            AND mute.from_user = %(owner_id)s AND mute.to_user = %(author_id)s
            AND (mute.expires_at IS NULL OR mute.expires_at > %(now)s)
    )
""")
_BACKFILL = Statement(f"""
WITH follow AS ({_FOLLOW})
INSERT INTO timeline (owner_id, published_at, post_id, author_id)
SELECT %(owner_id)s, published_at, id, author_id FROM posts
WHERE author_id = %(author_id)s AND {_IS_LISTED} AND EXISTS (SELECT FROM follow WHERE NOT is_merged)
ORDER BY published_at DESC, id DESC LIMIT %(limit)s
ON CONFLICT DO NOTHING
""")  # noqa: S608 - words of our own
_REMOVE_AUTHOR = Statement(f"""
WITH removed AS (
    DELETE FROM timeline
    WHERE owner_id = %(owner_id)s AND author_id = %(author_id)s AND NOT EXISTS ({_FOLLOW})
    RETURNING owner_id
)
INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
SELECT DISTINCT owner_id, %(now)s::timestamptz, %(author_id)s::uuid, 'a' FROM removed
ON CONFLICT DO NOTHING
""")  # noqa: S608 - words of our own

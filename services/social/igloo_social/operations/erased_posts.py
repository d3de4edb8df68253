"""Removing a deleted person's posts, and the copies of what the media service said about their photos.

Posts are removed and not made tombstones: nothing makes a post of an id that is given to it, so no late event
brings one back, and those that tell of its coming, of its going or of its media find nothing to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.event_traces import empty_applied
from igloo_common.statements import Statement
from igloo_social.operations.erased_comments import removing_comments
from igloo_social.operations.notification_batches import BY_IDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

POSTS_AT_ONCE = 100
ROWS_AT_ONCE = 2_000


def remove_media(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Forget some of the person's media; what the media service holds of them, it removes by itself."""
    rows = REMOVE_MEDIA.rows(session, {"account_id": account_id, "limit": ROWS_AT_ONCE})
    _forget_what_was_said(session, rows)
    return {"media": len(rows)}


def remove_posts(session: Session, account_id: UUID) -> Mapping[str, int]:
    """Remove some of the person's posts, deleted ones too, once nothing is left that refers to them.

    Locks the posts first: who was liking one, commenting on it or keeping it has done so before, and is
    found, or finds no post any more.
    """
    batch = {"account_id": account_id, "limit": POSTS_AT_ONCE}
    rows = LOCK_LIVING_POSTS.rows(session, batch) or LOCK_DELETED_POSTS.rows(session, batch)
    posts = {"post_ids": [post_id for (post_id,) in rows], "limit": ROWS_AT_ONCE}
    if not rows:
        return {}
    removed = {
        "likes_received": REMOVE_LIKES.count(session, posts) + REMOVE_LIKES_APART.count(session, posts),
        "comments_received": REMOVE_COMMENTS.count(session, posts),
        "bookmarks_received": REMOVE_BOOKMARKS.count(session, posts),
        "notifications": _remove_news(session, posts),
        "post_revisions": REMOVE_REVISIONS.count(session, posts),
    }
    if max(removed.values()) >= ROWS_AT_ONCE:
        return removed
    # Photos that were deleted before their owner have no row of their own any more.
    _forget_what_was_said(session, REMOVE_IMAGES.rows(session, posts))
    # A post has a few of these at most.
    REMOVE_TAGS.run(session, posts)
    REMOVE_MENTIONS.run(session, posts)
    return {**removed, "posts": REMOVE_POSTS.count(session, posts)}


def _remove_news(session: Session, posts: Mapping[str, object]) -> int:
    ids = [fact_id for (fact_id,) in NEWS.rows(session, posts)]
    return BY_IDS.count(session, {"ids": ids}) if ids else 0


def _forget_what_was_said(session: Session, media: Collection[tuple[UUID]]) -> None:
    """Empty the applied events about some media: they hold the texts that stand for the photos."""
    empty_applied(session, aggregate_keys=[f"media:{media_id}" for (media_id,) in media])


def _removing(table: str) -> Statement:
    return Statement(f"""
    WITH doomed AS MATERIALIZED (
        SELECT user_id, post_id FROM {table} WHERE (user_id, post_id) IN (
            SELECT user_id, post_id FROM {table} WHERE post_id = ANY(%(post_ids)s) LIMIT %(limit)s
        ) ORDER BY user_id, post_id FOR UPDATE
    )
    DELETE FROM {table} USING doomed
    WHERE {table}.user_id = doomed.user_id AND {table}.post_id = doomed.post_id
    """)  # noqa: S608 - words of our own


REMOVE_MEDIA = Statement("""
DELETE FROM media_items WHERE media_id IN (
    SELECT media_id FROM media_items WHERE owner_id = %(account_id)s LIMIT %(limit)s
) RETURNING media_id
""")
LOCK_LIVING_POSTS = Statement("""
SELECT id FROM posts WHERE author_id = %(account_id)s AND deleted_at IS NULL
ORDER BY id LIMIT %(limit)s FOR UPDATE
""")
LOCK_DELETED_POSTS = Statement("""
SELECT id FROM posts WHERE author_id = %(account_id)s AND deleted_at IS NOT NULL
ORDER BY id LIMIT %(limit)s FOR UPDATE
""")
REMOVE_LIKES = Statement("""
DELETE FROM likes WHERE (post_id, user_id) IN (
    SELECT post_id, user_id FROM likes WHERE post_id = ANY(%(post_ids)s) LIMIT %(limit)s
)
""")
# Likes apart and bookmarks: in the order in which somebody's own are removed, who may be leaving as well.
REMOVE_LIKES_APART = _removing("suspended_likes")
REMOVE_COMMENTS = Statement(
    removing_comments("SELECT id FROM comments WHERE post_id = ANY(%(post_ids)s) LIMIT %(limit)s")
)
REMOVE_BOOKMARKS = _removing("bookmarks")
NEWS = Statement("""
SELECT id FROM notifications WHERE post_id = ANY(%(post_ids)s) LIMIT %(limit)s
""")
REMOVE_REVISIONS = Statement("""
DELETE FROM post_revisions WHERE (post_id, number) IN (
    SELECT post_id, number FROM post_revisions WHERE post_id = ANY(%(post_ids)s) LIMIT %(limit)s
)
""")
REMOVE_TAGS = Statement("DELETE FROM post_tags WHERE post_id = ANY(%(post_ids)s)")
REMOVE_MENTIONS = Statement("DELETE FROM post_mentions WHERE post_id = ANY(%(post_ids)s)")
REMOVE_IMAGES = Statement("DELETE FROM post_images WHERE post_id = ANY(%(post_ids)s) RETURNING media_id")
REMOVE_POSTS = Statement("DELETE FROM posts WHERE id = ANY(%(post_ids)s)")

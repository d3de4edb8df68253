"""Setting apart what a suspended person said of others' posts, likes and comments, and putting it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.operations.comments import recount_comments
from igloo_social.operations.likes import recount_likes
from igloo_social.operations.notification_batches import withdraw_told_of
from igloo_social.operations.suspended_relations import lock_standings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

POSTS_AT_ONCE = 200
NEWS_AT_ONCE = 1_000


def set_likes_apart(session: Session, account_id: UUID, _now: datetime) -> bool:
    """Set some of the person's likes apart; False when there are none."""
    return _move(session, account_id, LIKED, (SET_LIKES_APART,), recount_likes, suspended=True)


def put_likes_back(session: Session, account_id: UUID, _now: datetime) -> bool:
    """Put some of the person's likes back; False when there are none.

    Save those of posts deleted meanwhile, and of people from whom a block parts them by now.
    """
    return _move(session, account_id, LIKES_APART, (LIKE_AGAIN, FORGET_LIKES), recount_likes, suspended=False)


def hide_comments(session: Session, account_id: UUID, _now: datetime) -> bool:
    """Hide the person's comments under some posts; False when there are none."""
    return _move(session, account_id, COMMENTED, (HIDE_COMMENTS,), recount_comments, suspended=True)


def show_comments(session: Session, account_id: UUID, _now: datetime) -> bool:
    """Show the person's comments under some posts again; False when none is hidden for the suspension.

    What a moderator hid stays hidden.
    """
    return _move(session, account_id, HIDDEN_COMMENTS, (SHOW_COMMENTS,), recount_comments, suspended=False)


def take_news_back(session: Session, account_id: UUID, _now: datetime) -> bool:
    """Take back some of what others were told that the person did; False when there is none.

    It is no news any more when the person is reinstated, and so is not told again.
    """
    return withdraw_told_of(session, account_id, limit=NEWS_AT_ONCE) > 0


def _move(
    session: Session,
    account_id: UUID,
    find: Statement,
    moves: Sequence[Statement],
    recount: Callable[[Session, Sequence[UUID]], object],
    *,
    suspended: bool,
) -> bool:
    """Carry out the moves about one batch of posts, under the person's lock and the posts', and recount."""
    found = find.rows(session, {"account_id": account_id, "limit": POSTS_AT_ONCE})
    if not found:
        return False
    standing = lock_standings(session, [account_id]).get(account_id)
    if standing is None or standing.is_suspended is not suspended:
        return True
    post_ids = [post_id for (post_id,) in found]
    batch: Mapping[str, object] = {"account_id": account_id, "post_ids": post_ids}
    LOCK_POSTS.rows(session, batch)
    for move in moves:
        move.run(session, batch)
    recount(session, post_ids)
    return True


LIKED = Statement("""
SELECT post_id FROM likes WHERE user_id = %(account_id)s ORDER BY post_id LIMIT %(limit)s
""")
LIKES_APART = Statement("""
SELECT post_id FROM suspended_likes WHERE user_id = %(account_id)s ORDER BY post_id LIMIT %(limit)s
""")
LOCK_POSTS = Statement("SELECT id FROM posts WHERE id = ANY(%(post_ids)s) ORDER BY id FOR NO KEY UPDATE")
SET_LIKES_APART = Statement("""
WITH moved AS (
    DELETE FROM likes WHERE user_id = %(account_id)s AND post_id = ANY(%(post_ids)s)
    RETURNING user_id, post_id, created_at
)
INSERT INTO suspended_likes (user_id, post_id, created_at)
SELECT user_id, post_id, created_at FROM moved ON CONFLICT DO NOTHING
""")
LIKE_AGAIN = Statement("""
INSERT INTO likes (post_id, user_id, created_at)
SELECT apart.post_id, apart.user_id, apart.created_at
FROM suspended_likes AS apart JOIN posts ON posts.id = apart.post_id AND posts.deleted_at IS NULL
WHERE apart.user_id = %(account_id)s AND apart.post_id = ANY(%(post_ids)s) AND NOT EXISTS (
    SELECT FROM relations WHERE relation_type = 'b'
        AND from_user = posts.author_id AND to_user = apart.user_id
) AND NOT EXISTS (
    SELECT FROM relations WHERE relation_type = 'b'
        AND from_user = apart.user_id AND to_user = posts.author_id
)
ON CONFLICT DO NOTHING
""")
FORGET_LIKES = Statement("""
DELETE FROM suspended_likes WHERE user_id = %(account_id)s AND post_id = ANY(%(post_ids)s)
""")
COMMENTED = Statement("""
SELECT DISTINCT post_id FROM comments
WHERE author_id = %(account_id)s AND deleted_at IS NULL AND hidden_by IS NULL LIMIT %(limit)s
""")
HIDDEN_COMMENTS = Statement("""
SELECT DISTINCT post_id FROM comments WHERE author_id = %(account_id)s AND hidden_by = 'suspension'
LIMIT %(limit)s
""")
HIDE_COMMENTS = Statement("""
UPDATE comments SET hidden_by = 'suspension'
WHERE author_id = %(account_id)s AND post_id = ANY(%(post_ids)s) AND deleted_at IS NULL AND hidden_by IS NULL
""")
SHOW_COMMENTS = Statement("""
UPDATE comments SET hidden_by = NULL
WHERE author_id = %(account_id)s AND post_id = ANY(%(post_ids)s) AND hidden_by = 'suspension'
""")

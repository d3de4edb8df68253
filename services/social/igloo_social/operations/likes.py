"""Liking posts: at most once each, with a count that agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from igloo_common.errors import Conflict
from igloo_common.statements import Statement
from igloo_social.models.likes import LIKES
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.posts import POSTS
from igloo_social.operations import notifications
from igloo_social.operations.ranks import ranked, recount
from igloo_social.operations.relations import share_person
from igloo_social.queries.likes import visible_like_count_of
from igloo_social.queries.posts import PostNotFound
from igloo_social.queries.shown_posts import lock_post, lock_shown_post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.queries.shown_posts import ShownPost


class PostNotPublished(Conflict):
    """The person's own post is not out: it waits for its images, has failed, or was hidden by a moderator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LikeStatus:
    """Whether the viewer likes a post, and how many people do as far as the viewer can tell.

    They cannot tell of a post that they may not see any more.
    """

    post_id: UUID
    liked: bool
    like_count: int | None


def like_post(session: Session, *, post_id: UUID, user_id: UUID, now: datetime) -> LikeStatus:
    """Like a post and tell its author; liked already, it changes and tells nothing.

    Raises:
        UserNotFound: The person's account was deleted.
        PostNotFound, PostNotPublished: See `require_published`.
    """
    share_person(session, user_id)
    post = require_published(lock_shown_post(session, post_id=post_id, viewer_id=user_id))
    if _ADD.count(session, {"post_id": post_id, "user_id": user_id, "now": now}):
        notifications.notify(
            session,
            recipient_id=post.author_id,
            kind=NotificationKind.LIKE,
            actor_id=user_id,
            object_id=post_id,
            post_id=post_id,
            now=now,
        )
    return _status(session, post_id, user_id, liked=True)


def unlike_post(session: Session, *, post_id: UUID, user_id: UUID) -> LikeStatus:
    """No longer like a post, and take back what its author was told; not liked, it changes nothing.

    Whoever has given a like can take it back, also when the post has gone out of their sight.

    Raises:
        UserNotFound: The person's account was deleted.
        PostNotFound: They did not like it, and there is no such post for this person.
    """
    share_person(session, user_id)
    author_id = lock_post(session, post_id)
    if author_id is None:
        raise PostNotFound
    removed = _REMOVE.count(session, {"post_id": post_id, "user_id": user_id})
    status = _status(session, post_id, user_id, liked=False)
    if not removed and status.like_count is None:
        raise PostNotFound
    if removed:
        notifications.withdraw(
            session, recipient_id=author_id, kind=NotificationKind.LIKE, actor_id=user_id, object_id=post_id
        )
    return status


def require_published(post: ShownPost | None) -> ShownPost:
    """Let through a post that is out.

    Raises:
        PostNotFound: There is no such post for this person.
        PostNotPublished: It is their own and not out.
    """
    if post is None:
        raise PostNotFound
    if not post.is_out:
        raise PostNotPublished("The post is not published.")
    return post


def remove_between(session: Session, a: UUID, b: UUID) -> None:
    """Take back the likes that each gave the other's posts. Needs both people's and those posts' locks."""
    _REMOVE_BETWEEN.run(session, {"people": [a, b]})


def recount_likes(session: Session, post_ids: Sequence[UUID]) -> list[UUID]:
    """Count the likes of these posts anew; return those whose stored counts were wrong.

    Needs the posts' locks.
    """
    likes = select(func.count()).select_from(LIKES).where(LIKES.c.post_id == POSTS.c.id)
    return recount(session, post_ids, stored=POSTS.c.like_count, rows=likes)


def _status(session: Session, post_id: UUID, user_id: UUID, *, liked: bool) -> LikeStatus:
    like_count = visible_like_count_of(session, post_id=post_id, viewer_id=user_id)
    return LikeStatus(post_id=post_id, liked=liked, like_count=like_count)


# Adding is exact under the post's lock; a popular post has too many likes to count each time. Not below
# nothing: a count that had drifted must not keep anybody from unliking.
_FEWER = "greatest(like_count - 1, 0)"
_ADD = Statement(f"""
WITH added AS (
    INSERT INTO likes (post_id, user_id, created_at) VALUES (%(post_id)s, %(user_id)s, %(now)s)
    ON CONFLICT DO NOTHING
    RETURNING post_id
)
UPDATE posts SET like_count = like_count + 1, rank_at = {ranked(likes="like_count + 1")}
WHERE id IN (SELECT post_id FROM added)
""")  # noqa: S608 - words of our own
_REMOVE = Statement(f"""
WITH removed AS (
    DELETE FROM likes WHERE post_id = %(post_id)s AND user_id = %(user_id)s RETURNING post_id
)
UPDATE posts SET like_count = {_FEWER}, rank_at = {ranked(likes=_FEWER)}
WHERE id = ANY(ARRAY(SELECT post_id FROM removed))
""")  # noqa: S608 - as above
# Of one post that is the one's, the other can have given one like.
_REMOVE_BETWEEN = Statement(f"""
WITH removed AS (
    DELETE FROM likes WHERE likes.user_id = ANY(%(people)s) AND (
        SELECT true FROM posts WHERE posts.id = likes.post_id
            AND posts.author_id = ANY(%(people)s) AND posts.author_id <> likes.user_id
        LIMIT 1
    ) IS NOT NULL
    RETURNING likes.post_id
)
UPDATE posts SET like_count = {_FEWER}, rank_at = {ranked(likes=_FEWER)}
WHERE id = ANY(ARRAY(SELECT post_id FROM removed))
""")  # noqa: S608 - as above

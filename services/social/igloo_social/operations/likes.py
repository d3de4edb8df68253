"""Liking posts: at most once each, with a count that agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from igloo_common.errors import Conflict
from igloo_social.models.likes import LIKES
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.posts import POSTS, PostState
from igloo_social.operations import notifications
from igloo_social.operations.locks import lock_pair, share_pair
from igloo_social.operations.relations import share_person
from igloo_social.queries.posts import author_of, lock_visible_post, visible_like_count_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


class PostNotPublished(Conflict):
    """The author's own post waits for its images, or has failed: there is nothing out to like yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LikeStatus:
    """Whether the viewer likes a post, and how many people do as far as the viewer can tell."""

    post_id: UUID
    liked: bool
    like_count: int


def like_post(session: Session, *, post_id: UUID, user_id: UUID, now: datetime) -> LikeStatus:
    """Like a post and tell its author; liked already, it changes and tells nothing.

    Raises:
        UserNotFound: The person's account was deleted.
        PostNotFound: There is no such post for this person.
        PostNotPublished: It is their own and not out yet.
    """
    author_id = _lock_for_liking(session, post_id, user_id)
    added = session.execute(
        insert(LIKES)
        .values(post_id=post_id, user_id=user_id, created_at=now)
        .on_conflict_do_nothing()
        .returning(LIKES.c.post_id)
    ).one_or_none()
    if added is not None:
        _add_to_count(session, post_id, 1)
        notifications.notify(
            session,
            recipient_id=author_id,
            kind=NotificationKind.LIKE,
            actor_id=user_id,
            object_id=post_id,
            post_id=post_id,
            now=now,
        )
    return _status(session, post_id, user_id, liked=True)


def unlike_post(session: Session, *, post_id: UUID, user_id: UUID) -> LikeStatus:
    """No longer like a post, and take back what its author was told; not liked, it changes nothing.

    Raises:
        UserNotFound: The person's account was deleted.
        PostNotFound: There is no such post for this person.
        PostNotPublished: It is their own and not out yet.
    """
    author_id = _lock_for_liking(session, post_id, user_id)
    removed = session.execute(
        delete(LIKES).where(LIKES.c.post_id == post_id, LIKES.c.user_id == user_id).returning(LIKES.c.post_id)
    ).one_or_none()
    if removed is not None:
        _add_to_count(session, post_id, -1)
        notifications.withdraw(
            session,
            recipient_id=author_id,
            kind=NotificationKind.LIKE,
            actor_id=user_id,
            object_id=post_id,
        )
    return _status(session, post_id, user_id, liked=False)


def remove_between(session: Session, a: UUID, b: UUID) -> None:
    """Take back the likes that each gave the other's posts, and let neither give more on old grounds."""
    lock_pair(session, a, b)
    each_others = or_(
        and_(LIKES.c.user_id == a, POSTS.c.author_id == b), and_(LIKES.c.user_id == b, POSTS.c.author_id == a)
    )
    # The posts' rows first and in order, as everybody who changes a count does.
    post_ids = session.scalars(
        select(POSTS.c.id)
        .join(LIKES, LIKES.c.post_id == POSTS.c.id)
        .where(each_others)
        .order_by(POSTS.c.id)
        .with_for_update(of=POSTS, key_share=True)
    ).all()
    if post_ids:
        session.execute(
            delete(LIKES).where(LIKES.c.post_id == POSTS.c.id, POSTS.c.id.in_(post_ids), each_others)
        )
        recount_likes(session, post_ids)


def recount_likes(session: Session, post_ids: Sequence[UUID]) -> list[UUID]:
    """Count the likes of these posts anew; return those whose stored counts were wrong.

    Needs the posts' locks.
    """
    counted = (
        select(func.count())
        .select_from(LIKES)
        .where(LIKES.c.post_id == POSTS.c.id)
        .correlate(POSTS)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            update(POSTS)
            .where(POSTS.c.id.in_(post_ids), POSTS.c.like_count != counted)
            .values(like_count=counted)
            .returning(POSTS.c.id)
        )
    )


def _lock_for_liking(session: Session, post_id: UUID, user_id: UUID) -> UUID:
    """Lock a post that the person may like until the transaction ends, and return its author.

    The author is read first and without a lock, for they never change: a block between the two then either
    waits for this like and removes it, or is seen by the look that follows.
    """
    author_id = author_of(session, post_id)
    share_person(session, user_id)
    share_pair(session, author_id, user_id)
    state = lock_visible_post(session, post_id=post_id, viewer_id=user_id)
    if state != PostState.PUBLISHED:
        raise PostNotPublished("The post is not published.")
    return author_id


def _add_to_count(session: Session, post_id: UUID, change: int) -> None:
    """Add under the post's lock, where it is exact; a popular post has too many likes to count each time.

    Not below nothing: a count that had drifted must not keep anybody from unliking.
    """
    session.execute(
        update(POSTS)
        .where(POSTS.c.id == post_id)
        .values(like_count=func.greatest(POSTS.c.like_count + change, 0))
    )


def _status(session: Session, post_id: UUID, user_id: UUID, *, liked: bool) -> LikeStatus:
    like_count = visible_like_count_of(session, post_id=post_id, viewer_id=user_id)
    return LikeStatus(post_id=post_id, liked=liked, like_count=like_count)

"""Making, editing and deleting posts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import update

from igloo_common.errors import Forbidden, Invalid
from igloo_common.ids import new_id
from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_social.events import PostDeleted
from igloo_social.models.posts import POSTS, PostState, Visibility
from igloo_social.operations import notifications
from igloo_social.operations.images import attach_media, describe_image, reserve_media
from igloo_social.operations.publishing import announce_post, count_posts, emit_published
from igloo_social.operations.relations import lock_people
from igloo_social.operations.timeline import remove_own_post
from igloo_social.queries.images import attached_media_ids
from igloo_social.queries.posts import PostNotFound, PostView, lock_own_post, visible_post

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


class NotYourPost(Forbidden):
    """Only its author may change a post."""

    def __init__(self) -> None:
        super().__init__("Only its author may change a post.")


class EmptyPost(Invalid):
    """A post shows images, says something, or both."""

    def __init__(self) -> None:
        super().__init__("A post needs images or a caption.")


@dataclass(frozen=True, kw_only=True)
class NewPost:
    """What an author wants to post: images in their order, words, or both."""

    caption: str = ""
    media_ids: Sequence[UUID] = ()
    visibility: Visibility = Visibility.PUBLIC


@dataclass(frozen=True, kw_only=True)
class PostEdit:
    """What an author wants to change; None leaves it as it is."""

    caption: str | None = None
    visibility: Visibility | None = None


def create_post(session: Session, new: NewPost, *, author_id: UUID, now: datetime) -> PostView:
    """Make a post and show it to its author: published when all its media are ready, else waiting for them.

    Raises:
        EmptyPost: Neither images nor words.
        PostNotFound: The author's account has been deleted.
        MediaNotUsable: A medium is somebody else's, failed, or shown by another post.
    """
    if not new.media_ids and not new.caption.strip():
        raise EmptyPost
    post_id = new_id()
    ready: Mapping[UUID, Row[Any]] = {}
    if new.media_ids:
        ready = reserve_media(session, post_id=post_id, author_id=author_id, media_ids=new.media_ids)
    is_whole = len(ready) == len(new.media_ids)
    images = [describe_image(media_id, ready.get(media_id)) for media_id in new.media_ids]
    post = {
        "id": post_id,
        "author_id": author_id,
        "caption": new.caption,
        "visibility": new.visibility.value,
        "state": (PostState.PUBLISHED if is_whole else PostState.PROCESSING).value,
        "images": orjson.dumps(images).decode(),
        "created_at": now,
        "published_at": now if is_whole else None,
    }
    made = _MAKE.row(session, post)
    if made is None:
        raise PostNotFound
    if new.media_ids:
        attach_media(session, post_id=post_id, media_ids=new.media_ids, ready=ready)
    if is_whole:
        announce_post(
            session, post_id=post_id, author_id=author_id, media_ids=new.media_ids, published_at=now
        )
    return PostView(*made)


# The lock that counting the post takes anyway, taken at once: a deletion of the account either waits, and
# then finds the post, or is seen.
_MAKE = Statement("""
WITH author AS (
    SELECT user_id, username, display_name, avatar_url FROM profiles
    WHERE user_id = %(author_id)s AND deleted_at IS NULL AND suspended_at IS NULL
    FOR NO KEY UPDATE
), post AS (
    INSERT INTO posts (id, author_id, caption, visibility, state, images, created_at, published_at)
    SELECT %(id)s, user_id, %(caption)s, %(visibility)s, %(state)s, %(images)s, %(created_at)s,
        %(published_at)s
    FROM author
    RETURNING *
)
SELECT post.id, post.author_id, author.username, author.display_name, author.avatar_url, post.caption,
    post.visibility, post.state, post.failure_code, post.failure_detail, post.images::text, post.like_count,
    post.comment_count, post.comments_open, false, false, post.tags, NULL, post.created_at,
    post.published_at, post.edited_at
FROM post, author
""")


def edit_post(session: Session, edit: PostEdit, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Change a post's words, or to whom it is shown; what changes nothing leaves no mark.

    A private post that is opened to followers is announced again, for it never went out to their feeds. One
    that is closed needs no word: every reading applies the rules.

    Raises:
        PostNotFound, NotYourPost: See `_lock_own`.
        EmptyPost: Nothing would be left.
    """
    post = _lock_own(session, post_id, author_id)
    if post.deleted_at is not None:
        raise PostNotFound
    caption = post.caption if edit.caption is None else edit.caption
    visibility = post.visibility if edit.visibility is None else edit.visibility.value
    if (caption, visibility) == (post.caption, post.visibility):
        return
    if not caption.strip() and not post.images:
        raise EmptyPost
    session.execute(
        update(POSTS)
        .where(POSTS.c.id == post_id)
        .values(caption=caption, visibility=visibility, edited_at=now)
    )
    if post.state == PostState.PUBLISHED and post.visibility == Visibility.PRIVATE:
        emit_published(
            session,
            post_id=post_id,
            author_id=author_id,
            media_ids=attached_media_ids(session, post_id),
            published_at=post.published_at,
            now=now,
        )


def delete_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Delete a post and what was told about it; deleted already, it changes and tells nothing.

    Raises:
        PostNotFound, NotYourPost: See `_lock_own`.
    """
    post = _lock_own(session, post_id, author_id)
    if post.deleted_at is not None:
        return
    session.execute(update(POSTS).where(POSTS.c.id == post_id).values(deleted_at=now))
    if post.state == PostState.PUBLISHED:
        remove_own_post(session, author_id=author_id, post_id=post_id, published_at=post.published_at)
        count_posts(session, author_id, -1)
    notifications.withdraw_all_about_post(session, post_id)
    media_ids = tuple(attached_media_ids(session, post_id))
    emit(
        session,
        PostDeleted(post_id=post_id, author_id=author_id, media_ids=media_ids, deleted_at=now),
        now=now,
    )


def _lock_own(session: Session, post_id: UUID, author_id: UUID) -> Row[Any]:
    """Lock a post of the author's, after the author.

    Raises:
        PostNotFound: There is no such post for this person, or the person's account was deleted.
        NotYourPost: They see it, and it is somebody else's.
    """
    if not lock_people(session, (author_id,)):
        raise PostNotFound
    post = lock_own_post(session, post_id=post_id, author_id=author_id)
    if post is not None:
        return post
    visible_post(session, post_id=post_id, viewer_id=author_id)
    raise NotYourPost

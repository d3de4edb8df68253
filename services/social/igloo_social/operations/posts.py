"""Making and deleting posts."""

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
from igloo_social.operations import feed_changes, notifications
from igloo_social.operations.images import attach_media, describe_image, reserve_media
from igloo_social.operations.mentions import (
    Mention,
    lock_named,
    mention_in_post,
    tell_mentioned,
)
from igloo_social.operations.post_counts import count_change
from igloo_social.operations.publishing import emit_published, show_to_author
from igloo_social.operations.relations import lock_person
from igloo_social.operations.tags import agree_tags
from igloo_social.operations.timeline import remove_own_post
from igloo_social.policies.captions import hashtags_of
from igloo_social.policies.posts import counted
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
    comments_open: bool = True


def create_post(session: Session, new: NewPost, *, author_id: UUID, now: datetime) -> PostView:
    """Make a post and show it to its author: published when all its media are ready, else waiting for them.

    Raises:
        EmptyPost: Neither images nor words.
        PostNotFound: The author's account has been deleted, or is suspended.
        MediaNotUsable: A medium is somebody else's, failed, deleted, or shown by another post.
    """
    if not new.media_ids and not new.caption.strip():
        raise EmptyPost
    post_id = new_id()
    ready: Mapping[UUID, Row[Any]] = {}
    if new.media_ids:
        ready = reserve_media(session, post_id=post_id, author_id=author_id, media_ids=new.media_ids)
    is_whole = len(ready) == len(new.media_ids)
    images = [describe_image(media_id, ready.get(media_id)) for media_id in new.media_ids]
    state = PostState.PUBLISHED if is_whole else PostState.PROCESSING
    post = {
        "id": post_id,
        "author_id": author_id,
        "caption": new.caption,
        "visibility": new.visibility.value,
        "state": state.value,
        "images": orjson.dumps(images).decode(),
        "tags": list(hashtags_of(new.caption)),
        "comments_open": new.comments_open,
        "created_at": now,
        "published_at": now if is_whole else None,
    }
    lock_named(session, writer_id=author_id, text=new.caption)
    made = _MAKE.row(session, post)
    if made is None:
        raise PostNotFound
    if new.media_ids:
        attach_media(session, post_id=post_id, media_ids=new.media_ids, ready=ready)
    count_change(session, author_id, after=counted(state, new.visibility))
    view = PostView(*made)
    mentions = mention_in_post(session, post_id=post_id, author_id=author_id, text=new.caption)
    if is_whole:
        _announce(session, view, mentions, new.media_ids, now)
    return view._replace(mentions=_mentions_json(mentions))


def _announce(
    session: Session, post: PostView, mentions: Sequence[Mention], media_ids: Sequence[UUID], now: datetime
) -> None:
    """Let everybody know of a post that came out the moment that it was made."""
    show_to_author(session, post_id=post.id, author_id=post.author_id, published_at=now)
    emit_published(
        session, post_id=post.id, author_id=post.author_id, media_ids=media_ids, published_at=now, now=now
    )
    if post.tags:
        agree_tags(session, post.id)
    user_ids = [mention.user_id for mention in mentions]
    tell_mentioned(session, user_ids, writer_id=post.author_id, post_id=post.id, object_id=post.id, now=now)


def _mentions_json(mentions: Sequence[Mention]) -> str | None:
    """Write mentions as `visible_mentions` reads them."""
    return orjson.dumps([mention._asdict() for mention in mentions]).decode() if mentions else None


# The lock that counting the post takes anyway, taken at once: a deletion of the account either waits, and
# then finds the post, or is seen.
_MAKE = Statement("""
WITH author AS (
    SELECT user_id, username, display_name, avatar_url FROM profiles
    WHERE user_id = %(author_id)s AND deleted_at IS NULL AND suspended_at IS NULL
    FOR NO KEY UPDATE
), post AS (
    INSERT INTO posts (id, author_id, caption, visibility, state, images, tags, comments_open, created_at,
        published_at, rank_at)
    SELECT %(id)s, user_id, %(caption)s, %(visibility)s, %(state)s, %(images)s, %(tags)s::text[],
        %(comments_open)s, %(created_at)s, %(published_at)s, %(published_at)s
    FROM author
    RETURNING *
)
SELECT post.id, post.author_id, author.username, author.display_name, author.avatar_url, post.caption,
    post.visibility, post.state, post.failure_code, post.failure_detail, post.images::text, post.like_count,
    post.comment_count, post.comments_open, false, false, post.tags, NULL, post.created_at,
    post.published_at, post.edited_at, post.version
FROM post, author
""")


def delete_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> None:
    """Delete a post and what was told about it; deleted already, it changes and tells nothing.

    Raises:
        PostNotFound, NotYourPost: See `lock_own`.
    """
    post = lock_own(session, post_id, author_id)
    if post.deleted_at is not None:
        return
    session.execute(update(POSTS).where(POSTS.c.id == post_id).values(deleted_at=now))
    count_change(session, author_id, before=counted(post.state, post.visibility))
    if post.tags:
        agree_tags(session, post_id)
    if post.published_at is not None:
        remove_own_post(session, author_id=author_id, post_id=post_id, published_at=post.published_at)
        is_for_others = post.state == PostState.PUBLISHED and post.visibility != Visibility.PRIVATE
        feed_changes.note_post(
            session, post_id=post_id, author_id=author_id, now=now, is_for_others=is_for_others
        )
    notifications.withdraw_all_about_post(session, post_id)
    media_ids = tuple(attached_media_ids(session, post_id))
    emit(
        session,
        PostDeleted(post_id=post_id, author_id=author_id, media_ids=media_ids, deleted_at=now),
        now=now,
    )


def lock_own(session: Session, post_id: UUID, author_id: UUID) -> Row[Any]:
    """Lock a post of the author's, after the author.

    Raises:
        PostNotFound: There is no such post for this person, or the person was deleted or is suspended.
        NotYourPost: They see it, and it is somebody else's.
    """
    if not lock_person(session, author_id):
        raise PostNotFound
    post = lock_own_post(session, post_id=post_id, author_id=author_id)
    if post is not None:
        return post
    visible_post(session, post_id=post_id, viewer_id=author_id)
    raise NotYourPost

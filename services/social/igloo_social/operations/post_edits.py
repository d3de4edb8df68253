"""Editing posts, and what hangs on an edit: revisions, hashtags, mentions, counts, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import update

from igloo_common.errors import PreconditionFailed
from igloo_social.models.posts import POSTS, PostState, Visibility
from igloo_social.operations.mentions import (
    lock_named,
    mention_anew_in_post,
    tell_mentioned,
    tell_mentioned_in_post,
    withdraw_mentions,
    withdraw_unseen_mentions,
)
from igloo_social.operations.post_counts import count_change
from igloo_social.operations.posts import EmptyPost, lock_own
from igloo_social.operations.publishing import emit_changed, emit_published
from igloo_social.operations.revisions import keep_revision
from igloo_social.operations.tags import agree_tags
from igloo_social.policies.captions import hashtags_of
from igloo_social.policies.posts import counted
from igloo_social.queries.images import attached_media_ids
from igloo_social.queries.posts import PostNotFound

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


class PostHasChanged(PreconditionFailed):
    """The post is not in the version that the editor read."""

    code: ClassVar[str] = "post_changed"

    def __init__(self) -> None:
        super().__init__("The post has changed since you read it.")


@dataclass(frozen=True, kw_only=True)
class PostEdit:
    """What an author wants to change; None leaves it as it is."""

    caption: str | None = None
    visibility: Visibility | None = None
    comments_open: bool | None = None


def edit_post(
    session: Session,
    edit: PostEdit,
    *,
    post_id: UUID,
    author_id: UUID,
    expected_versions: Container[int] | None = None,
    now: datetime,
) -> None:
    """Change a post's words, to whom it is shown, or whether people may comment; else it leaves no mark.

    `expected_versions` holds the versions that the editor may have read; None asks for none. New words keep
    the old ones as a revision, and mark the post as edited. A private post that is opened to followers is
    announced again, for it never went out to their feeds.

    Raises:
        PostNotFound, NotYourPost: See `lock_own` of operations/posts.py.
        PostHasChanged: It is in no expected version.
        EmptyPost: Nothing would be left.
    """
    lock_named(session, writer_id=author_id, text=edit.caption or "")
    post = lock_own(session, post_id, author_id)
    if post.deleted_at is not None:
        raise PostNotFound
    if expected_versions is not None and post.version not in expected_versions:
        raise PostHasChanged
    changes = _changes(post, edit)
    if not changes:
        return
    if not changes.get("caption", post.caption).strip() and not post.images:
        raise EmptyPost
    if "caption" in changes:
        keep_revision(session, post, now=now)
        changes |= {"edited_at": now, "tags": list(hashtags_of(changes["caption"]))}
    changes["version"] = post.version + 1
    session.execute(update(POSTS).where(POSTS.c.id == post_id).values(changes))
    _follow_edit(session, post, changes, now)


def _changes(post: Row[Any], edit: PostEdit) -> dict[str, Any]:
    wanted = {"caption": edit.caption, "comments_open": edit.comments_open}
    wanted["visibility"] = None if edit.visibility is None else edit.visibility.value
    return {
        name: value for name, value in wanted.items() if value is not None and value != getattr(post, name)
    }


def _follow_edit(session: Session, post: Row[Any], changes: Mapping[str, Any], now: datetime) -> None:
    """Bring everything along that hangs on an edited post."""
    if changes.get("tags", post.tags) != post.tags:
        agree_tags(session, post.id)
    if visibility := changes.get("visibility"):
        count_change(
            session,
            post.author_id,
            before=counted(post.state, post.visibility),
            after=counted(post.state, visibility),
        )
    _mention_anew(session, post, changes, now)
    if post.state == PostState.HIDDEN:
        emit_changed(session, post_id=post.id, author_id=post.author_id, now=now, is_for_others=False)
    if post.state != PostState.PUBLISHED:
        return
    is_for_others = {post.visibility, visibility or post.visibility} != {Visibility.PRIVATE}
    emit_changed(session, post_id=post.id, author_id=post.author_id, now=now, is_for_others=is_for_others)
    if visibility and post.visibility == Visibility.PRIVATE:
        emit_published(
            session,
            post_id=post.id,
            author_id=post.author_id,
            media_ids=attached_media_ids(session, post.id),
            published_at=post.published_at,
            now=now,
        )


def _mention_anew(session: Session, post: Row[Any], changes: Mapping[str, Any], now: datetime) -> None:
    """Tell who has come to be mentioned or to see it, and take back what others were told."""
    caption = changes.get("caption", post.caption)
    if "visibility" in changes:
        withdraw_unseen_mentions(session, post_id=post.id)
    if not post.mention_count and "caption" not in changes:
        return
    author, place = post.author_id, {"writer_id": post.author_id, "object_id": post.id}
    added: frozenset[UUID] = frozenset()
    if "caption" in changes:
        added, removed = mention_anew_in_post(session, post_id=post.id, author_id=author, text=caption)
        withdraw_mentions(session, removed, **place)
    if "visibility" in changes:
        tell_mentioned_in_post(session, post_id=post.id, author_id=author, now=now)
    else:
        tell_mentioned(session, added, **place, post_id=post.id, now=now)

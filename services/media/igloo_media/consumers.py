"""The events that the media service listens to, each with the fields that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.consumers import Consumers, Delivery
from igloo_common.identity import deny_session
from igloo_media.operations.items import attach_items, delete_items_of_post

consumers = Consumers("media")


@dataclass(frozen=True, kw_only=True)
class PostWithMedia:
    """A post's photos."""

    post_id: UUID
    author_id: UUID
    media_ids: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class SessionRevoked:
    """A session whose access tokens are to be refused until the last of them has expired."""

    session_id: UUID
    denied_until: datetime


@consumers.on("social.post.published.v1", PostWithMedia)
def keep_posted_media(session: Session, event: Delivery[PostWithMedia], _now: datetime) -> None:
    """Note which post shows the photos, so that they are not collected."""
    post = event.data
    attach_items(session, owner_id=post.author_id, media_ids=post.media_ids, post_id=post.post_id)


@consumers.on("social.post.deleted.v1", PostWithMedia)
def delete_posted_media(session: Session, event: Delivery[PostWithMedia], now: datetime) -> None:
    """Delete the photos of a deleted post; their objects go by a job, after this transaction."""
    post = event.data
    delete_items_of_post(
        session, owner_id=post.author_id, media_ids=post.media_ids, post_id=post.post_id, now=now
    )


@consumers.on("auth.session.revoked.v1", SessionRevoked)
def refuse_revoked_session(session: Session, event: Delivery[SessionRevoked], _now: datetime) -> None:
    """Refuse the session's access tokens here as well."""
    deny_session(session, event.data.session_id, event.data.denied_until)

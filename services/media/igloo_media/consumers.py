"""The events that the media service listens to, each with the fields that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.consumers import Consumers, Delivery
from igloo_common.identity import deny_session
from igloo_media.operations.account_tasks import request_erasure, request_export
from igloo_media.operations.items import attach_items, delete_items_of_post
from igloo_media.operations.takedowns import take_back, take_down

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


@dataclass(frozen=True, kw_only=True)
class AccountDeleted:
    """An account of which nothing is to stay."""

    account_id: UUID
    deletion_id: UUID


@dataclass(frozen=True, kw_only=True)
class ExportRequested:
    """An account of which everything is to be copied, and where to."""

    export_id: UUID
    account_id: UUID
    parts_prefix: str


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


@consumers.on("social.post.hidden.v1", PostWithMedia, superseded_by=["social.post.restored.v1"])
def withhold_hidden_media(session: Session, event: Delivery[PostWithMedia], now: datetime) -> None:
    """Show the photos of a post that a moderator took down no more, and take their files no more."""
    post = event.data
    take_down(session, post_id=post.post_id, author_id=post.author_id, media_ids=post.media_ids, now=now)


@consumers.on("social.post.restored.v1", PostWithMedia, superseded_by=["social.post.hidden.v1"])
def restore_hidden_media(session: Session, event: Delivery[PostWithMedia], _now: datetime) -> None:
    """Take that back."""
    post = event.data
    take_back(session, post_id=post.post_id, author_id=post.author_id, media_ids=post.media_ids)


@consumers.on("auth.session.revoked.v1", SessionRevoked)
def refuse_revoked_session(session: Session, event: Delivery[SessionRevoked], _now: datetime) -> None:
    """Refuse the session's access tokens here as well."""
    deny_session(session, event.data.session_id, event.data.denied_until)


@consumers.on("auth.account.deleted.v1", AccountDeleted)
def erase_deleted_account(session: Session, event: Delivery[AccountDeleted], now: datetime) -> None:
    """Take no more uploads of the account, and have a worker erase what there is."""
    account = event.data
    request_erasure(session, deletion_id=account.deletion_id, account_id=account.account_id, now=now)


@consumers.on("auth.export.requested.v1", ExportRequested)
def collect_export(session: Session, event: Delivery[ExportRequested], now: datetime) -> None:
    """Have a worker collect what is held about the account."""
    export = event.data
    request_export(
        session,
        export_id=export.export_id,
        account_id=export.account_id,
        parts_prefix=export.parts_prefix,
        now=now,
    )

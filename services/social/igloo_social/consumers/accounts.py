"""What happens to accounts and their sessions: people come, leave, want a copy, and have friends here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common.denylist import deny_session
from igloo_social.consumers.registry import consumers
from igloo_social.operations.account_tasks import request_erasure, request_export
from igloo_social.operations.devices import remove_session_devices
from igloo_social.operations.facebook_friends import replace_friends
from igloo_social.operations.profiles import merge_account

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from igloo_common.consumers import Delivery


@dataclass(frozen=True, kw_only=True)
class AccountCreated:
    """Somebody signed in for the first time."""

    account_id: UUID
    display_name: str
    picture_url: str | None


@dataclass(frozen=True, kw_only=True)
class AccountDeleted:
    """Somebody left: everything of theirs is to go."""

    account_id: UUID
    deletion_id: UUID


@dataclass(frozen=True, kw_only=True)
class ExportRequested:
    """Somebody wants a copy of everything that is held about them."""

    export_id: UUID
    account_id: UUID
    parts_prefix: str


@dataclass(frozen=True, kw_only=True)
class FriendsFound:
    """All of somebody's Facebook friends who are here as well, as of a moment."""

    account_id: UUID
    friend_ids: tuple[UUID, ...]
    found_at: datetime


@dataclass(frozen=True, kw_only=True)
class SessionRevoked:
    """A session ended, and its access tokens with it."""

    session_id: UUID
    denied_until: datetime


@consumers.on("auth.account.created.v1", AccountCreated)
def merge_created_account(session: Session, event: Delivery[AccountCreated], now: datetime) -> None:
    """Give the person the name and the picture of their account."""
    merge_account(
        session,
        account_id=event.data.account_id,
        display_name=event.data.display_name,
        picture_url=event.data.picture_url,
        now=now,
    )


@consumers.on("auth.account.deleted.v1", AccountDeleted)
def erase_deleted_account(session: Session, event: Delivery[AccountDeleted], now: datetime) -> None:
    """Hide the person from everybody, and have everything of theirs removed."""
    said = event.data
    request_erasure(session, deletion_id=said.deletion_id, account_id=said.account_id, now=now)


@consumers.on("auth.export.requested.v1", ExportRequested)
def collect_requested_export(session: Session, event: Delivery[ExportRequested], now: datetime) -> None:
    """Have a copy of everything held here about the person put into S3."""
    said = event.data
    request_export(
        session, export_id=said.export_id, account_id=said.account_id, parts_prefix=said.parts_prefix, now=now
    )


@consumers.on("auth.friends.found.v1", FriendsFound)
def keep_found_friends(session: Session, event: Delivery[FriendsFound], now: datetime) -> None:
    """Remember who the person's Facebook friends are, in place of who they were."""
    said = event.data
    replace_friends(
        session, account_id=said.account_id, friend_ids=said.friend_ids, found_at=said.found_at, now=now
    )


@consumers.on("auth.session.revoked.v1", SessionRevoked)
def deny_revoked_session(session: Session, event: Delivery[SessionRevoked], now: datetime) -> None:
    """Refuse the session's tokens until the last of them has expired, and push nothing to its phone."""
    remove_session_devices(session, session_id=event.data.session_id, now=now)
    deny_session(session, event.data.session_id, event.data.denied_until)

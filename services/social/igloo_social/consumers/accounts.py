"""What happens to accounts and their sessions, as far as people's profiles and tokens are concerned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common.denylist import deny_session
from igloo_social.consumers.registry import consumers
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


@consumers.on("auth.session.revoked.v1", SessionRevoked)
def deny_revoked_session(session: Session, event: Delivery[SessionRevoked], now: datetime) -> None:
    """Refuse the session's tokens until the last of them has expired."""
    deny_session(session, event.data.session_id, event.data.denied_until)

"""What the auth service says of suspended accounts, whoever decided it: a moderator or an operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from igloo_social.consumers.registry import consumers
from igloo_social.operations.suspensions import reinstate_person, suspend_person

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from igloo_common.consumers import Delivery


@dataclass(frozen=True, kw_only=True)
class AccountSuspended:
    """Somebody may not sign in any more, until they are reinstated."""

    account_id: UUID


@dataclass(frozen=True, kw_only=True)
class AccountReinstated:
    """Somebody may sign in again."""

    account_id: UUID


@consumers.on("auth.account.suspended.v1", AccountSuspended, superseded_by=["auth.account.reinstated.v1"])
def hide_suspended_person(session: Session, event: Delivery[AccountSuspended], now: datetime) -> None:
    """Take the person out of sight, unless a moderator's decision has already."""
    suspend_person(session, user_id=event.data.account_id, now=now)


@consumers.on("auth.account.reinstated.v1", AccountReinstated, superseded_by=["auth.account.suspended.v1"])
def show_reinstated_person(session: Session, event: Delivery[AccountReinstated], now: datetime) -> None:
    """Put everything of the person back."""
    reinstate_person(session, user_id=event.data.account_id, now=now)

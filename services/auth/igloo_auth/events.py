"""The facts that the auth service publishes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from igloo_common.events import Event


@dataclass(frozen=True, kw_only=True)
class AccountCreated(Event):
    """A person signed in for the first time."""

    type: ClassVar[str] = "auth.account.created.v1"

    account_id: UUID
    display_name: str
    picture_url: str | None
    created_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Events about one account are applied in order."""
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class SessionRevoked(Event):
    """A session ended before its time; its access tokens are to be refused until `denied_until`."""

    type: ClassVar[str] = "auth.session.revoked.v1"

    session_id: UUID
    account_id: UUID
    reason: str
    revoked_at: datetime
    denied_until: datetime

    @property
    def aggregate_key(self) -> str:
        """Events about one session are applied in order."""
        return f"session:{self.session_id}"

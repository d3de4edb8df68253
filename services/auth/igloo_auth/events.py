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


@dataclass(frozen=True, kw_only=True)
class AccountDeleted(Event):
    """An account is gone: each service removes what it holds about the person, and says so."""

    type: ClassVar[str] = "auth.account.deleted.v1"

    account_id: UUID
    deletion_id: UUID
    deleted_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Events about one account are applied in order: never deleted before created."""
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class AccountSuspended(Event):
    """An account was suspended: its sessions are ended, and each service takes the person out of sight."""

    type: ClassVar[str] = "auth.account.suspended.v1"

    account_id: UUID
    suspended_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Events about one account are applied in order."""
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class AccountReinstated(Event):
    """A suspended person may sign in again, and is to be seen again."""

    type: ClassVar[str] = "auth.account.reinstated.v1"

    account_id: UUID
    reinstated_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Events about one account are applied in order."""
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class ExportRequested(Event):
    """A person wants a copy: each service puts what it holds below `parts_prefix` in S3, and says so."""

    type: ClassVar[str] = "auth.export.requested.v1"

    export_id: UUID
    account_id: UUID
    parts_prefix: str
    """Ends with a slash; a service writes below `<parts_prefix><service>/`."""
    requested_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Keep exports apart from the account's own events: a failing export must not hold a deletion up."""
        return f"export:{self.export_id}"


@dataclass(frozen=True, kw_only=True)
class FriendsFound(Event):
    """All of a person's Facebook friends who use igloo too, as of now."""

    type: ClassVar[str] = "auth.friends.found.v1"

    account_id: UUID
    friend_ids: tuple[UUID, ...]
    found_at: datetime

    @property
    def aggregate_key(self) -> str:
        """Keep a person's look-ups in order, apart from the account's own events."""
        return f"friends:{self.account_id}"

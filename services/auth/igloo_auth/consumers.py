"""The events that the auth service listens to, each with the fields that it reads."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_auth.operations.account_deletions import complete_deletion_step
from igloo_auth.operations.account_exports import collect_part
from igloo_auth.operations.suspensions import reinstate_account, suspend_on_decision
from igloo_auth.queries.accounts import AccountNotFound
from igloo_auth.settings import Settings
from igloo_common.consumers import Consumers, Delivery
from igloo_common.web import provided

consumers = Consumers("auth")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Removed:
    """How many things of one kind were removed."""

    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class AccountErased:
    """A service holds nothing any more about the person of a deleted account."""

    account_id: UUID
    deletion_id: UUID
    removed: tuple[Removed, ...]


@dataclass(frozen=True, kw_only=True)
class ExportCollected:
    """A service has put its part of an export into S3."""

    export_id: UUID
    account_id: UUID


@dataclass(frozen=True, kw_only=True)
class SuspensionDecided:
    """A moderator decided that an account is suspended."""

    account_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class SuspensionLifted:
    """A moderator took such a decision back."""

    account_id: UUID


@consumers.on("social.account.erased.v1", AccountErased)
def note_social_erased(session: Session, event: Delivery[AccountErased], now: datetime) -> None:
    """Complete social's step of the deletion."""
    _complete_step(session, event.data, service="social", now=now)


@consumers.on("media.account.erased.v1", AccountErased)
def note_media_erased(session: Session, event: Delivery[AccountErased], now: datetime) -> None:
    """Complete media's step of the deletion."""
    _complete_step(session, event.data, service="media", now=now)


@consumers.on("social.export.collected.v1", ExportCollected)
def note_social_collected(session: Session, event: Delivery[ExportCollected], now: datetime) -> None:
    """Note that social's part of the export is there."""
    _collect(session, event.data, service="social", now=now)


@consumers.on("media.export.collected.v1", ExportCollected)
def note_media_collected(session: Session, event: Delivery[ExportCollected], now: datetime) -> None:
    """Note that media's part of the export is there."""
    _collect(session, event.data, service="media", now=now)


@consumers.on(
    "social.suspension.decided.v1", SuspensionDecided, superseded_by=["social.suspension.lifted.v1"]
)
def suspend_as_decided(session: Session, event: Delivery[SuspensionDecided], now: datetime) -> None:
    """End the person's sessions and refuse to sign them in; who has left meanwhile is left alone."""
    said = event.data
    try:
        suspended = suspend_on_decision(
            session,
            account_id=said.account_id,
            reason=said.reason,
            lifetimes=provided(Settings).lifetimes,
            now=now,
        )
    except AccountNotFound:
        return
    if not suspended:
        logger.warning(
            "A moderator decided to suspend another moderator, who stays.",
            extra={"account_id": str(said.account_id), "event_id": str(event.id)},
        )


@consumers.on("social.suspension.lifted.v1", SuspensionLifted, superseded_by=["social.suspension.decided.v1"])
def reinstate_as_lifted(session: Session, event: Delivery[SuspensionLifted], now: datetime) -> None:
    """Let the person sign in again; who has left meanwhile is left alone."""
    try:
        reinstate_account(session, account_id=event.data.account_id, now=now)
    except AccountNotFound:
        return


def _complete_step(session: Session, erased: AccountErased, *, service: str, now: datetime) -> None:
    removed: Counter[str] = Counter()
    for things in erased.removed:
        removed[things.kind] += things.count
    complete_deletion_step(
        session,
        deletion_id=erased.deletion_id,
        account_id=erased.account_id,
        service=service,
        removed=removed,
        now=now,
    )


def _collect(session: Session, collected: ExportCollected, *, service: str, now: datetime) -> None:
    collect_part(
        session, export_id=collected.export_id, account_id=collected.account_id, service=service, now=now
    )

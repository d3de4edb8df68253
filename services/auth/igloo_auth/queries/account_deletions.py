"""Receipts of deletions, and the deletions that auth itself has still to work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from igloo_auth.models.account_deletions import AccountDeletion, DeletionStep
from igloo_auth.models.account_exports import AccountExport
from igloo_auth.policies.exports import ACCOUNT_DELETED, OWN_SERVICE, SERVICES
from igloo_common.database import Reader
from igloo_common.errors import NotFound

# Another service may still be writing its part of an export when the account is deleted. Auth removes the
# export's objects once the others are done, and waits no longer than this for them: whatever is written
# later, the sweep finds.
_OTHERS_AWAITED_FOR = timedelta(hours=1)


class DeletionNotFound(NotFound):
    """There is no deletion with this confirmation code."""


@dataclass(frozen=True, kw_only=True)
class StepView:
    """How far one service is."""

    completed_at: datetime | None
    removed: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A deletion as it is shown to whoever has its code."""

    confirmation_code: str
    account_found: bool
    requested_at: datetime
    completed_at: datetime | None
    services: Mapping[str, StepView]


@dataclass(frozen=True, kw_only=True)
class OpenErasure:
    """A deletion of which auth's own part is to be done."""

    deletion_id: UUID
    account_id: UUID
    export_ids: tuple[UUID, ...]


def receipt_of(reader: Reader, *, deletion_id: UUID) -> Receipt:
    """Return the receipt of a deletion.

    Raises:
        DeletionNotFound: When there is none.
    """
    return _receipt(reader, AccountDeletion.id == deletion_id)


def receipt_by_code(reader: Reader, *, confirmation_code: str) -> Receipt:
    """Return the receipt that a confirmation code stands for.

    Raises:
        DeletionNotFound: When there is none.
    """
    return _receipt(reader, AccountDeletion.confirmation_code == confirmation_code)


def open_erasures(reader: Reader, *, now: datetime, limit: int) -> list[OpenErasure]:
    """Return deletions whose auth step can be done now, the oldest first."""
    other = aliased(DeletionStep)
    others_open = exists().where(
        other.deletion_id == AccountDeletion.id, other.service != OWN_SERVICE, other.completed_at.is_(None)
    )
    was_collecting = exists().where(
        AccountExport.account_id == AccountDeletion.account_id, AccountExport.failure_code == ACCOUNT_DELETED
    )
    waits = others_open & was_collecting & (AccountDeletion.requested_at > now - _OTHERS_AWAITED_FOR)
    rows = reader.execute(
        select(AccountDeletion.id, AccountDeletion.account_id)
        .join(DeletionStep, DeletionStep.deletion_id == AccountDeletion.id)
        .where(DeletionStep.service == OWN_SERVICE, DeletionStep.completed_at.is_(None), ~waits)
        .order_by(AccountDeletion.requested_at)
        .limit(limit)
    ).all()
    return [
        OpenErasure(
            deletion_id=row.id, account_id=row.account_id, export_ids=_exports_of(reader, row.account_id)
        )
        for row in rows
    ]


def _exports_of(reader: Reader, account_id: UUID) -> tuple[UUID, ...]:
    found = reader.execute(select(AccountExport.id).where(AccountExport.account_id == account_id))
    return tuple(found.scalars())


def _receipt(reader: Reader, which: ColumnElement[bool]) -> Receipt:
    rows = reader.execute(
        select(
            AccountDeletion.confirmation_code,
            AccountDeletion.account_id,
            AccountDeletion.requested_at,
            AccountDeletion.completed_at,
            DeletionStep.service,
            DeletionStep.completed_at.label("step_completed_at"),
            DeletionStep.removed,
        )
        .join(DeletionStep, DeletionStep.deletion_id == AccountDeletion.id)
        .where(which)
    ).all()
    if not rows:
        raise DeletionNotFound("There is no deletion with this confirmation code.")
    steps: dict[str, Any] = {row.service: row for row in rows}
    first = rows[0]
    return Receipt(
        confirmation_code=first.confirmation_code,
        account_found=first.account_id is not None,
        requested_at=first.requested_at,
        completed_at=first.completed_at,
        services={
            service: StepView(
                completed_at=steps[service].step_completed_at, removed=steps[service].removed or {}
            )
            for service in SERVICES
        },
    )

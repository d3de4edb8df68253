"""Exports as their owner sees them, and which of them may have objects in S3."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from igloo_auth.models.account_exports import AccountExport, ExportPart, ExportState
from igloo_auth.models.accounts import Account
from igloo_auth.policies.exports import EXPORT_TIMED_OUT, SERVICES, state_at
from igloo_common.database import Reader
from igloo_common.errors import NotFound


class ExportNotFound(NotFound):
    """There is no such export of this account."""


@dataclass(frozen=True, kw_only=True)
class ExportView:
    """An export as its owner sees it at one moment."""

    id: UUID
    state: ExportState
    failure_code: str | None
    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime
    archive_bytes: int | None
    collected: Mapping[str, bool]


def export_of(reader: Reader, *, export_id: UUID, account_id: UUID, now: datetime) -> ExportView:
    """Return an export of a person's own.

    Raises:
        ExportNotFound: When it is unknown or somebody else's: the same answer for both.
    """
    rows = reader.execute(
        select(
            AccountExport.state,
            AccountExport.failure_code,
            AccountExport.requested_at,
            AccountExport.ready_at,
            AccountExport.expires_at,
            AccountExport.archive_bytes,
            ExportPart.service,
            ExportPart.collected_at,
        )
        .join(ExportPart, ExportPart.export_id == AccountExport.id)
        .join(Account, Account.id == AccountExport.account_id)
        .where(
            AccountExport.id == export_id,
            AccountExport.account_id == account_id,
            Account.deleted_at.is_(None),
        )
    ).all()
    if not rows:
        raise ExportNotFound("There is no such export of this account.")
    export, collected = rows[0], {row.service: row.collected_at is not None for row in rows}
    state = state_at(state=ExportState(export.state), expires_at=export.expires_at, now=now)
    timed_out = state is ExportState.FAILED and export.failure_code is None
    return ExportView(
        id=export_id,
        state=state,
        failure_code=EXPORT_TIMED_OUT if timed_out else export.failure_code,
        requested_at=export.requested_at,
        ready_at=export.ready_at,
        expires_at=export.expires_at,
        archive_bytes=export.archive_bytes,
        collected={service: collected[service] for service in SERVICES},
    )


def exports_with_objects(reader: Reader, *, export_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return those of the exports that may have objects in S3: all that are under way or ready."""
    live = (ExportState.COLLECTING.value, ExportState.READY.value)
    found = reader.execute(
        select(AccountExport.id).where(AccountExport.id.in_(export_ids), AccountExport.state.in_(live))
    )
    return frozenset(found.scalars())

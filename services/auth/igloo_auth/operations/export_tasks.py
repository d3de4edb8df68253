"""Exports as the worker sees them: taken for a while, and settled or put off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from igloo_auth.models.account_exports import AccountExport, ExportPart, ExportState
from igloo_auth.policies.exports import EXPORT_TIMED_OUT, KEPT_FOR, ExportStep, next_step

LEASE: Final = timedelta(minutes=2)
"""How long a taken export is left alone; who works longer takes it again meanwhile."""


@dataclass(frozen=True, kw_only=True)
class ExportTask:
    """An export that a worker has taken, and what is to be done about it."""

    export_id: UUID
    account_id: UUID
    step: ExportStep
    requested_at: datetime
    attempts: int


def take_export(session: Session, *, now: datetime) -> ExportTask | None:
    """Take the export that is due for the longest time; None when nothing is due.

    A worker that dies over it leaves it to the next one when the lease is over.
    """
    export = session.scalar(
        select(AccountExport)
        .where(AccountExport.due_at <= now)
        .order_by(AccountExport.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if export is None:
        return None
    export.due_at, export.attempts = now + LEASE, export.attempts + 1
    collected = session.scalars(
        select(ExportPart.service).where(
            ExportPart.export_id == export.id, ExportPart.collected_at.is_not(None)
        )
    ).all()
    step = next_step(
        state=ExportState(export.state), collected=collected, expires_at=export.expires_at, now=now
    )
    return ExportTask(
        export_id=export.id,
        account_id=export.account_id,
        step=step,
        requested_at=export.requested_at,
        attempts=export.attempts,
    )


def keep_export(session: Session, *, export_id: UUID, until: datetime) -> bool:
    """Keep a taken export for longer; False when it has ended, so that going on is of no use."""
    return _change(session, export_id, ExportState.COLLECTING, due_at=until)


def put_off_export(session: Session, *, task: ExportTask, until: datetime) -> None:
    """Try again later, unless the export has ended meanwhile."""
    session.execute(
        update(AccountExport)
        .where(AccountExport.id == task.export_id, AccountExport.due_at.is_not(None))
        .values(due_at=until)
        .execution_options(synchronize_session=False)
    )


def await_parts(session: Session, *, export_id: UUID) -> None:
    """Look at the export again when its time is over; the last part to come makes it due before."""
    _change(session, export_id, ExportState.COLLECTING, due_at=AccountExport.expires_at)


def record_archive(session: Session, *, export_id: UUID, archive_bytes: int, now: datetime) -> bool:
    """Note that the archive lies in S3; it is due at once, to have its parts removed.

    False when the export has ended meanwhile, so that the archive must go.
    """
    return _change(
        session,
        export_id,
        ExportState.COLLECTING,
        state=ExportState.READY.value,
        archive_bytes=archive_bytes,
        ready_at=now,
        expires_at=now + KEPT_FOR,
        due_at=now,
        attempts=0,
    )


def record_tidied(session: Session, *, export_id: UUID) -> None:
    """Note that nothing but the archive is left in S3; it is due again when it expires."""
    _change(session, export_id, ExportState.READY, due_at=AccountExport.expires_at, attempts=0)


def fail_export(session: Session, *, export_id: UUID) -> None:
    """Give up on an export whose parts or archive did not come in time."""
    _change(
        session,
        export_id,
        ExportState.COLLECTING,
        state=ExportState.FAILED.value,
        failure_code=EXPORT_TIMED_OUT,
        due_at=None,
    )


def expire_export(session: Session, *, export_id: UUID) -> None:
    """Note that the archive has left S3."""
    _change(session, export_id, ExportState.READY, state=ExportState.EXPIRED.value, due_at=None)


def _change(session: Session, export_id: UUID, still: ExportState, **values: Any) -> bool:  # noqa: ANN401 - columns
    """Change an export that is still in a state; False when it is not."""
    changed = session.scalar(
        update(AccountExport)
        .where(AccountExport.id == export_id, AccountExport.state == still.value)
        .values(**values)
        .returning(AccountExport.id)
        .execution_options(synchronize_session=False)
    )
    return changed is not None

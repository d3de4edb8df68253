"""Exports as their owners and the other services see them: asked for, and collected part by part."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_auth.events import ExportRequested
from igloo_auth.models.account_exports import AccountExport, ExportPart, ExportState
from igloo_auth.models.accounts import Account
from igloo_auth.models.security_events import SecurityEvent, SecurityEventKind
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.policies.exports import (
    COLLECTED_WITHIN,
    EXPORTS_A_DAY,
    LINK_LIFE,
    OWN_SERVICE,
    SERVICES,
    parts_prefix,
)
from igloo_auth.queries.accounts import AccountNotFound
from igloo_common.errors import RateLimited
from igloo_common.ids import new_id
from igloo_common.outbox import emit

EXPORTS_CHANNEL: Final = "auth_exports"
_DAY: Final = timedelta(days=1)


class TooManyExports(RateLimited):
    """The person has asked for as many exports as there may be in a day."""

    retry_after_seconds = 3600


def request_export(
    session: Session, *, account_id: UUID, session_id: UUID, network: str | None, now: datetime
) -> UUID:
    """Have everything held about a person put together, and return the export.

    While one is being collected that is the one. Locks the account against deletion until the transaction
    ends: no export begins that the deletion does not end.

    Raises:
        AccountNotFound: When the account has just been deleted.
        TooManyExports: When this would be one too many within a day.
    """
    living = select(Account.id).where(Account.id == account_id, Account.deleted_at.is_(None))
    if session.scalar(living.with_for_update(read=True)) is None:
        raise AccountNotFound("This account does not exist any more.")
    collecting = _collecting(session, account_id)
    if collecting is not None:
        return collecting
    _refuse_too_many(session, account_id=account_id, now=now)
    export_id = _begin(session, account_id=account_id, now=now)
    if export_id is None:
        # Another phone was first; the insert waited for its commit.
        return request_export(session, account_id=account_id, session_id=session_id, network=network, now=now)
    record_security_event(
        session,
        account_id=account_id,
        kind=SecurityEventKind.EXPORT_REQUESTED,
        session_id=session_id,
        network=network,
        details={"export_id": str(export_id)},
        now=now,
    )
    _announce(session, export_id=export_id, account_id=account_id, now=now)
    return export_id


def collect_part(session: Session, *, export_id: UUID, account_id: UUID, service: str, now: datetime) -> bool:
    """Note that a service's part lies in S3; with the last one, the archive is due.

    False when there was nothing to note: the part was there, or the export has ended or is not known.
    """
    # One part at a time: two that come at once would each see the other's missing.
    export = session.scalar(
        select(AccountExport)
        .where(AccountExport.id == export_id, AccountExport.account_id == account_id)
        .with_for_update()
    )
    part = None if export is None else session.get(ExportPart, (export_id, service))
    if export is None or part is None or part.collected_at is not None:
        return False
    if export.state != ExportState.COLLECTING:
        return False
    part.collected_at = now
    session.flush()
    missing = select(ExportPart.service).where(
        ExportPart.export_id == export_id, ExportPart.collected_at.is_(None)
    )
    if session.scalars(missing.limit(1)).first() is None:
        export.due_at, export.attempts = now, 0
        wake_export_lane(session)
    elif service == OWN_SERVICE:
        # Nothing for a worker to do, unless the others take too long.
        export.due_at, export.attempts = export.expires_at, 0
    return True


def note_link_issued(
    session: Session,
    *,
    export_id: UUID,
    account_id: UUID,
    session_id: UUID,
    network: str | None,
    now: datetime,
) -> None:
    """Write into the trail that a download link was given out; once while such a link is good."""
    noted = session.scalar(
        select(SecurityEvent.id)
        .where(
            SecurityEvent.account_id == account_id,
            SecurityEvent.kind == SecurityEventKind.EXPORT_LINK_ISSUED.value,
            SecurityEvent.session_id == session_id,
            SecurityEvent.details["export_id"].astext == str(export_id),
            SecurityEvent.occurred_at > now - LINK_LIFE,
        )
        .limit(1)
    )
    if noted is None:
        record_security_event(
            session,
            account_id=account_id,
            kind=SecurityEventKind.EXPORT_LINK_ISSUED,
            session_id=session_id,
            network=network,
            details={"export_id": str(export_id)},
            now=now,
        )


def wake_export_lane(session: Session) -> None:
    """Have a worker look for exports that are due, once the transaction has committed."""
    session.execute(select(func.pg_notify(EXPORTS_CHANNEL, "")))


def _collecting(session: Session, account_id: UUID) -> UUID | None:
    return session.scalar(
        select(AccountExport.id).where(
            AccountExport.account_id == account_id, AccountExport.state == ExportState.COLLECTING.value
        )
    )


def _refuse_too_many(session: Session, *, account_id: UUID, now: datetime) -> None:
    recent = session.scalar(
        select(func.count())
        .select_from(AccountExport)
        .where(AccountExport.account_id == account_id, AccountExport.requested_at > now - _DAY)
    )
    if (recent or 0) >= EXPORTS_A_DAY:
        raise TooManyExports(f"There may be {EXPORTS_A_DAY} exports a day.")


def _begin(session: Session, *, account_id: UUID, now: datetime) -> UUID | None:
    """Insert an export with its open parts; None when the account has one under way."""
    export_id = session.scalar(
        insert(AccountExport)
        .values(
            id=new_id(),
            account_id=account_id,
            state=ExportState.COLLECTING.value,
            requested_at=now,
            expires_at=now + COLLECTED_WITHIN,
            due_at=now,
        )
        .on_conflict_do_nothing()
        .returning(AccountExport.id)
    )
    if export_id is not None:
        parts = [{"export_id": export_id, "service": service} for service in SERVICES]
        session.execute(plain_insert(ExportPart), parts)
    return export_id


def _announce(session: Session, *, export_id: UUID, account_id: UUID, now: datetime) -> None:
    wake_export_lane(session)
    requested = ExportRequested(
        export_id=export_id, account_id=account_id, parts_prefix=parts_prefix(export_id), requested_at=now
    )
    emit(session, requested, now=now)

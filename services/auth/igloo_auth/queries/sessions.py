"""The devices that a person is or was signed in on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, true, tuple_

from igloo_auth.models.sessions import DeviceSession
from igloo_common.database import Reader
from igloo_common.statements import Statement

_SESSION_OF_TOKEN = Statement("SELECT session_id FROM refresh_tokens WHERE token_hash = %(token_hash)s")


class SessionState(StrEnum):
    """Which sessions a person asks for."""

    ACTIVE = "active"
    ENDED = "ended"
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class SessionView:
    """A session as its owner sees it."""

    id: UUID
    device_name: str | None
    platform: str | None
    ip_prefix: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_reason: str | None


def sessions_of(
    reader: Reader,
    *,
    account_id: UUID,
    state: SessionState,
    limit: int,
    older_than: tuple[datetime, UUID] | None = None,
    newer_than: tuple[datetime, UUID] | None = None,
    now: datetime,
) -> list[SessionView]:
    """Return a person's sessions from one place of the list on; oldest first when reading `newer_than` it."""
    place = tuple_(DeviceSession.created_at, DeviceSession.id)
    chosen = select(*(getattr(DeviceSession, name) for name in SessionView.__dataclass_fields__)).where(
        DeviceSession.account_id == account_id, _in_state(state, now=now)
    )
    if newer_than is not None:
        chosen = chosen.where(place > newer_than).order_by(DeviceSession.created_at, DeviceSession.id)
    else:
        chosen = chosen.order_by(DeviceSession.created_at.desc(), DeviceSession.id.desc())
    if older_than is not None:
        chosen = chosen.where(place < older_than)
    return [SessionView(**row) for row in reader.execute(chosen.limit(limit)).mappings()]


def session_of_token(reader: Reader, *, token_hash: bytes) -> UUID | None:
    """Return the session that a refresh token was given to; None for a token that is not known."""
    found = _SESSION_OF_TOKEN.row(reader, {"token_hash": token_hash})
    return None if found is None else found[0]


def _in_state(state: SessionState, *, now: datetime) -> ColumnElement[bool]:
    active = and_(DeviceSession.revoked_at.is_(None), DeviceSession.expires_at > now)
    return {SessionState.ACTIVE: active, SessionState.ENDED: ~active, SessionState.ALL: true()}[state]

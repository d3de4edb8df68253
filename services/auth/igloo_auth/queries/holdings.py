"""Everything that the auth service holds about a person, for their export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from igloo_auth.models.account_exports import AccountExport
from igloo_auth.models.accounts import Account
from igloo_auth.models.facebook_identities import FacebookIdentity
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.models.sessions import DeviceSession
from igloo_common.database import Reader

_ACCOUNT = (
    Account.id,
    Account.display_name,
    Account.picture_url,
    Account.is_moderator,
    Account.created_at,
    Account.updated_at,
    Account.suspended_at,
    Account.suspension_reason,
)
_IDENTITY = (FacebookIdentity.facebook_user_id, FacebookIdentity.linked_at)
_SESSIONS = (
    DeviceSession.id,
    DeviceSession.device_name,
    DeviceSession.platform,
    DeviceSession.ip_prefix,
    DeviceSession.created_at,
    DeviceSession.last_seen_at,
    DeviceSession.expires_at,
    DeviceSession.revoked_at,
    DeviceSession.revoked_reason,
)
_EVENTS = (
    SecurityEvent.id,
    SecurityEvent.session_id,
    SecurityEvent.kind,
    SecurityEvent.ip_prefix,
    SecurityEvent.details,
    SecurityEvent.occurred_at,
)
_EXPORTS = (AccountExport.id, AccountExport.state, AccountExport.requested_at, AccountExport.ready_at)


def holdings_of(reader: Reader, *, account_id: UUID) -> Mapping[str, object]:
    """Return the files of auth's part of an export, by name, as plain data; nothing secret is in them.

    Refresh tokens are left out: kept are only their hashes, which tell nobody anything.
    """
    accounts = _rows(reader, _ACCOUNT, Account.id == account_id, Account.id)
    return {
        "account.json": accounts[0] if accounts else {},
        "facebook-identity.json": _rows(
            reader, _IDENTITY, FacebookIdentity.account_id == account_id, FacebookIdentity.linked_at
        ),
        "sessions.json": _rows(
            reader, _SESSIONS, DeviceSession.account_id == account_id, DeviceSession.created_at
        ),
        "security-events.json": _rows(
            reader, _EVENTS, SecurityEvent.account_id == account_id, SecurityEvent.occurred_at
        ),
        "exports.json": _rows(
            reader, _EXPORTS, AccountExport.account_id == account_id, AccountExport.requested_at
        ),
    }


def _rows(
    reader: Reader,
    columns: tuple[InstrumentedAttribute[Any], ...],
    which: ColumnElement[bool],
    order: InstrumentedAttribute[Any],
) -> list[dict[str, Any]]:
    statement: Select[Any] = select(*columns).where(which).order_by(order)
    return [dict(row) for row in reader.execute(statement).mappings()]

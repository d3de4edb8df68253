"""How an account stands, as those who run the service see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select

from igloo_auth.models.accounts import Account
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.queries.accounts import AccountNotFound
from igloo_common.database import Reader


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Nothing of the person: whether the account may be used, and is."""

    id: UUID
    is_moderator: bool
    created_at: datetime
    suspended_at: datetime | None
    suspension_reason: str | None
    deleted_at: datetime | None
    active_sessions: int
    last_seen_at: datetime | None


def standing_of(reader: Reader, *, account_id: UUID, now: datetime) -> Standing:
    """Return how an account stands, a deleted one too as long as its tombstone is kept.

    Raises:
        AccountNotFound: When there is none.
    """
    active = and_(DeviceSession.revoked_at.is_(None), DeviceSession.expires_at > now)
    found = reader.execute(
        select(
            Account.id,
            Account.is_moderator,
            Account.created_at,
            Account.suspended_at,
            Account.suspension_reason,
            Account.deleted_at,
            func.count(DeviceSession.id).filter(active).label("active_sessions"),
            func.max(DeviceSession.last_seen_at).label("last_seen_at"),
        )
        .outerjoin(DeviceSession, DeviceSession.account_id == Account.id)
        .where(Account.id == account_id)
        .group_by(Account.id)
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise AccountNotFound("There is no such account.")
    return Standing(**row)

"""Sessions: opened at sign-in, ended for a reason that every service hears of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from igloo_auth.events import SessionRevoked
from igloo_auth.models.accounts import Account
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.operations.grants import Grant
from igloo_auth.operations.refresh_secrets import hash_refresh_token, new_refresh_token
from igloo_auth.operations.security_events import record_security_event
from igloo_auth.settings import TokenLifetimes
from igloo_common.denylist import deny_session
from igloo_common.ids import new_id
from igloo_common.outbox import emit
from igloo_common.statements import Statement

# Services may accept a token for this long after it expired, because clocks differ.
CLOCK_SKEW_SECONDS = 60

_LOCK = Statement("""
SELECT s.id FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id
WHERE t.token_hash = %(token_hash)s FOR UPDATE OF s
""")
_OPEN = Statement("""
INSERT INTO sessions (id, account_id, device_name, platform, ip_prefix, created_at, last_seen_at, expires_at)
VALUES (%(id)s, %(account_id)s, %(name)s, %(platform)s, %(network)s, %(now)s, %(now)s, %(expires_at)s)
""")
_INSERT_TOKEN = Statement("""
INSERT INTO refresh_tokens (id, session_id, token_hash, issued_at, expires_at)
VALUES (%(id)s, %(session_id)s, %(token_hash)s, %(now)s, %(expires_at)s)
""")


@dataclass(frozen=True, kw_only=True)
class Device:
    """What a client says of itself at sign-in, and the network that it was seen in."""

    name: str | None
    platform: str | None
    network: str | None


def open_session(
    session: Session,
    *,
    account_id: UUID,
    device: Device,
    is_moderator: bool,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> Grant:
    """Make a session with the first refresh token of its chain."""
    grant = Grant(
        account_id=account_id,
        session_id=new_id(),
        refresh_token=new_refresh_token(),
        refresh_expires_at=now + timedelta(seconds=lifetimes.refresh_seconds),
        is_moderator=is_moderator,
    )
    _insert_session(session, grant=grant, device=device, now=now)
    insert_refresh_token(session, token_id=new_id(), grant=grant, now=now)
    return grant


def lock_account(session: Session, *, account_id: UUID) -> Account | None:
    """Lock an account against sign-ins until the transaction ends; taken before any lock of its sessions.

    FOR NO KEY UPDATE waits for the FOR SHARE of sign-ins that have begun, and lets pass who holds a
    session's row and is about to write to the trail: FOR UPDATE would deadlock with them.
    """
    return session.scalar(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def lock_session_of_token(session: Session, *, token_hash: bytes) -> None:
    """Lock the session that a refresh token belongs to until the transaction ends.

    This one lock orders everything that happens to a chain of tokens: exchanges, retries and its end. It is
    sent with what the caller reads next, which so sees what was committed while the lock was waited for.
    """
    _LOCK.run(session, {"token_hash": token_hash})


def end_session(
    session: Session,
    *,
    ended: DeviceSession,
    reason: RevocationReason,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> bool:
    """End a session for a reason: no more refreshing, and its access tokens are refused everywhere.

    The caller holds the lock of the session's row. Ending an ended session changes and says nothing, and
    returns False.
    """
    if ended.revoked_at is not None:
        return False
    ended.revoked_at, ended.revoked_reason = now, reason.value
    session.flush()
    denied_until = now + _longest_access(lifetimes)
    # The other services learn it from the event; here it holds from the commit on.
    deny_session(session, ended.id, denied_until)
    revoked = SessionRevoked(
        session_id=ended.id,
        account_id=ended.account_id,
        reason=reason.value,
        revoked_at=now,
        denied_until=denied_until,
    )
    emit(session, revoked, now=now)
    return True


def end_sessions(
    session: Session,
    *,
    account_id: UUID,
    spared: UUID | None = None,
    reason: RevocationReason,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> Sequence[DeviceSession]:
    """End all sessions of an account that may still be used, but the spared one, and return them.

    The caller holds the account's lock (`lock_account`), so that a sign-in comes wholly before or wholly
    after. Their rows are locked in the order of their ids, as everybody does who locks several.
    """
    living = session.scalars(
        select(DeviceSession)
        .where(
            DeviceSession.account_id == account_id,
            DeviceSession.revoked_at.is_(None),
            DeviceSession.expires_at > now - _longest_access(lifetimes),
            true() if spared is None else DeviceSession.id != spared,
        )
        .order_by(DeviceSession.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for ended in living:
        end_session(session, ended=ended, reason=reason, lifetimes=lifetimes, now=now)
    return living


def record_end(
    session: Session, *, ended: DeviceSession, kind: SecurityEventKind, network: str | None, now: datetime
) -> None:
    """Write into the trail that a session ended, of which device, and from where that was asked for."""
    record_security_event(
        session,
        account_id=ended.account_id,
        kind=kind,
        session_id=ended.id,
        network=network,
        details={"device_name": ended.device_name, "platform": ended.platform},
        now=now,
    )


def insert_refresh_token(session: Session, *, token_id: UUID, grant: Grant, now: datetime) -> None:
    """Store the hash of a granted refresh token, as the live end of its session's chain."""
    _INSERT_TOKEN.run(
        session,
        {
            "id": token_id,
            "session_id": grant.session_id,
            "token_hash": hash_refresh_token(grant.refresh_token),
            "expires_at": grant.refresh_expires_at,
            "now": now,
        },
    )


def _insert_session(session: Session, *, grant: Grant, device: Device, now: datetime) -> None:
    granted = {"id": grant.session_id, "account_id": grant.account_id, "expires_at": grant.refresh_expires_at}
    _OPEN.run(session, {**vars(device), **granted, "now": now})


def _longest_access(lifetimes: TokenLifetimes) -> timedelta:
    """Return for how long a token that was just issued is accepted somewhere."""
    return timedelta(seconds=lifetimes.access_seconds + CLOCK_SKEW_SECONDS)

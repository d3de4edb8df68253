"""Sessions: opened at sign-in, ended by their owner, by signing out, or because a token was stolen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from igloo_auth.events import SessionRevoked
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.operations.grants import Grant
from igloo_auth.operations.refresh_secrets import hash_refresh_token, new_refresh_token
from igloo_auth.settings import TokenLifetimes
from igloo_common.denylist import deny_session
from igloo_common.errors import NotFound
from igloo_common.ids import new_id
from igloo_common.outbox import emit

# Services may accept a token for this long after it expired, because clocks differ.
CLOCK_SKEW_SECONDS = 60


class SessionNotFound(NotFound):
    """There is no such session of this account."""


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


def end_own_session(
    session: Session, *, session_id: UUID, account_id: UUID, lifetimes: TokenLifetimes, now: datetime
) -> None:
    """End one of a person's own sessions; one that is over already stays as it is.

    Raises:
        SessionNotFound: When it is unknown or somebody else's: the same answer for both.
    """
    owned = session.scalar(
        select(DeviceSession)
        .where(DeviceSession.id == session_id, DeviceSession.account_id == account_id)
        .with_for_update()
    )
    if owned is None:
        raise SessionNotFound("There is no such session of this account.")
    end_session(session, ended=owned, reason=RevocationReason.REVOKED_BY_OWNER, lifetimes=lifetimes, now=now)


def sign_out(session: Session, *, session_id: UUID, lifetimes: TokenLifetimes, now: datetime) -> None:
    """End the session that an access token belongs to; a session that is gone needs nothing."""
    signed_out = session.get(DeviceSession, session_id, with_for_update=True)
    if signed_out is not None:
        end_session(
            session, ended=signed_out, reason=RevocationReason.SIGNED_OUT, lifetimes=lifetimes, now=now
        )


def sign_out_by_refresh_token(
    session: Session, *, token: str, lifetimes: TokenLifetimes, now: datetime
) -> None:
    """End the session that a refresh token belongs to, exchanged or not.

    An unknown token needs nothing.
    """
    family = lock_session_of_token(session, token_hash=hash_refresh_token(token))
    if family is not None:
        end_session(session, ended=family, reason=RevocationReason.SIGNED_OUT, lifetimes=lifetimes, now=now)


def lock_session_of_token(session: Session, *, token_hash: bytes) -> DeviceSession | None:
    """Lock the session that a refresh token belongs to until the transaction ends.

    This one lock orders everything that happens to a chain of tokens: exchanges, retries and its end.
    """
    return session.scalar(
        select(DeviceSession)
        .join(RefreshToken, RefreshToken.session_id == DeviceSession.id)
        .where(RefreshToken.token_hash == token_hash)
        .with_for_update(of=DeviceSession)
    )


def end_session(
    session: Session,
    *,
    ended: DeviceSession,
    reason: RevocationReason,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> None:
    """End a session for a reason: no more refreshing, and its access tokens are refused everywhere.

    The caller holds the lock of the session's row. Ending an ended session changes and says nothing.
    """
    if ended.revoked_at is not None:
        return
    ended.revoked_at, ended.revoked_reason = now, reason.value
    session.flush()
    denied_until = now + timedelta(seconds=lifetimes.access_seconds + CLOCK_SKEW_SECONDS)
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


def insert_refresh_token(session: Session, *, token_id: UUID, grant: Grant, now: datetime) -> None:
    """Store the hash of a granted refresh token, as the live end of its session's chain."""
    session.execute(
        insert(RefreshToken).values(
            id=token_id,
            session_id=grant.session_id,
            token_hash=hash_refresh_token(grant.refresh_token),
            issued_at=now,
            expires_at=grant.refresh_expires_at,
        )
    )


def _insert_session(session: Session, *, grant: Grant, device: Device, now: datetime) -> None:
    session.execute(
        insert(DeviceSession).values(
            id=grant.session_id,
            account_id=grant.account_id,
            device_name=device.name,
            platform=device.platform,
            ip_prefix=device.network,
            created_at=now,
            last_seen_at=now,
            expires_at=grant.refresh_expires_at,
        )
    )

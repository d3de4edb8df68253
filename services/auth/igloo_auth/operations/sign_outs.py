"""Signing out: how people end sessions of their own, on this device or from another."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.operations.refresh_secrets import hash_refresh_token
from igloo_auth.operations.sessions import (
    end_session,
    end_sessions,
    lock_account,
    lock_session_of_token,
    record_end,
)
from igloo_auth.settings import TokenLifetimes
from igloo_common.errors import NotFound


class SessionNotFound(NotFound):
    """There is no such session of this account."""


def end_own_session(
    session: Session,
    *,
    session_id: UUID,
    account_id: UUID,
    network: str | None,
    lifetimes: TokenLifetimes,
    now: datetime,
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
    reason = RevocationReason.REVOKED_BY_OWNER
    if end_session(session, ended=owned, reason=reason, lifetimes=lifetimes, now=now):
        record_end(session, ended=owned, kind=SecurityEventKind.SESSION_REVOKED, network=network, now=now)


def end_own_sessions(
    session: Session,
    *,
    account_id: UUID,
    spared: UUID | None,
    network: str | None,
    lifetimes: TokenLifetimes,
    now: datetime,
) -> None:
    """End all sessions of a person but the spared one."""
    lock_account(session, account_id=account_id)
    reason = RevocationReason.REVOKED_BY_OWNER
    for ended in end_sessions(
        session, account_id=account_id, spared=spared, reason=reason, lifetimes=lifetimes, now=now
    ):
        record_end(session, ended=ended, kind=SecurityEventKind.SESSION_REVOKED, network=network, now=now)


def sign_out(
    session: Session, *, session_id: UUID, network: str | None, lifetimes: TokenLifetimes, now: datetime
) -> None:
    """End the session that an access token belongs to; a session that is gone needs nothing."""
    signed_out = session.get(DeviceSession, session_id, with_for_update=True)
    if signed_out is not None:
        _sign_out(session, ended=signed_out, network=network, lifetimes=lifetimes, now=now)


def sign_out_by_refresh_token(
    session: Session, *, token: str, network: str | None, lifetimes: TokenLifetimes, now: datetime
) -> None:
    """End the session that a refresh token belongs to, exchanged or not.

    An unknown token needs nothing.
    """
    token_hash = hash_refresh_token(token)
    lock_session_of_token(session, token_hash=token_hash)
    family = session.scalar(
        select(DeviceSession)
        .join(RefreshToken, RefreshToken.session_id == DeviceSession.id)
        .where(RefreshToken.token_hash == token_hash)
    )
    if family is not None:
        _sign_out(session, ended=family, network=network, lifetimes=lifetimes, now=now)


def _sign_out(
    session: Session, *, ended: DeviceSession, network: str | None, lifetimes: TokenLifetimes, now: datetime
) -> None:
    if end_session(session, ended=ended, reason=RevocationReason.SIGNED_OUT, lifetimes=lifetimes, now=now):
        record_end(session, ended=ended, kind=SecurityEventKind.SIGNED_OUT, network=network, now=now)

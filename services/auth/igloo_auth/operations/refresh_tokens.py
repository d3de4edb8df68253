"""Refresh tokens: exchanged for their successor, the same one each time; a stolen one ends its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from igloo_auth.models.accounts import Account
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.security_events import SecurityEventKind
from igloo_auth.models.sessions import DeviceSession, RevocationReason
from igloo_auth.operations.grants import Grant, GrantRefused
from igloo_auth.operations.refresh_secrets import (
    hash_refresh_token,
    new_refresh_token,
    open_successor,
    seal_successor,
)
from igloo_auth.operations.sessions import (
    end_session,
    insert_refresh_token,
    lock_session_of_token,
    record_end,
)
from igloo_auth.policies.refresh_tokens import is_honest_retry
from igloo_auth.settings import TokenLifetimes
from igloo_common.ids import new_id


class RefreshTokenInvalid(GrantRefused):
    """Nobody was ever given this token, or it is long gone."""


class RefreshTokenExpired(GrantRefused):
    """The token was not used for so long that its session is over."""


class RefreshTokenReused(GrantRefused):
    """The token was exchanged before and its successor used: one of the two holders is a thief."""


class SessionRevoked(GrantRefused):
    """The session that the token belongs to was ended; `reason` says why."""


@dataclass(frozen=True, kw_only=True)
class _Link:
    """A presented token with what is known of it and of its successor."""

    token: str
    id: UUID
    expires_at: datetime
    is_moderator: bool
    rotated_at: datetime | None
    sealed_successor: bytes | None
    successor_expires_at: datetime | None
    successor_rotated_at: datetime | None


def exchange_refresh_token(
    session: Session, *, token: str, network: str | None, lifetimes: TokenLifetimes, now: datetime
) -> Grant | RefreshTokenReused:
    """Exchange a refresh token for its successor.

    A retry (see `is_honest_retry`) gets the successor that the first exchange made. A reuse after that ends
    the session; it is *returned*, not raised, because the end has to be committed before it is reported.

    Raises:
        RefreshTokenInvalid: When the token is unknown.
        RefreshTokenExpired: When it is past its time.
        SessionRevoked: When its session was ended before.
    """
    family = lock_session_of_token(session, token_hash=hash_refresh_token(token))
    # A statement of its own: it must see what was committed while we waited for the lock.
    link = _read_link(session, token=token)
    if family is None or link is None:
        raise RefreshTokenInvalid("This refresh token is not known.")
    _refuse_ended(family=family, link=link, now=now)
    grant = _exchange(session, family=family, link=link, lifetimes=lifetimes, now=now)
    if grant is None:
        reason, kind = RevocationReason.REFRESH_TOKEN_REUSED, SecurityEventKind.REFRESH_TOKEN_REUSED
        end_session(session, ended=family, reason=reason, lifetimes=lifetimes, now=now)
        record_end(session, ended=family, kind=kind, network=network, now=now)
        return RefreshTokenReused("This refresh token was used before: its session has been ended.")
    family.last_seen_at, family.ip_prefix = now, network
    family.expires_at = max(family.expires_at, grant.refresh_expires_at)
    return grant


def _read_link(session: Session, *, token: str) -> _Link | None:
    successor = aliased(RefreshToken)
    found = session.execute(
        select(
            RefreshToken.id,
            RefreshToken.expires_at,
            Account.is_moderator,
            RefreshToken.rotated_at,
            RefreshToken.sealed_successor,
            successor.expires_at.label("successor_expires_at"),
            successor.rotated_at.label("successor_rotated_at"),
        )
        .join(DeviceSession, DeviceSession.id == RefreshToken.session_id)
        .join(Account, Account.id == DeviceSession.account_id)
        .outerjoin(successor, successor.id == RefreshToken.successor_id)
        .where(RefreshToken.token_hash == hash_refresh_token(token))
    )
    fields = found.mappings().one_or_none()
    return None if fields is None else _Link(token=token, **fields)


def _refuse_ended(*, family: DeviceSession, link: _Link, now: datetime) -> None:
    if family.revoked_at is not None:
        raise SessionRevoked("This session has ended: sign in again.", reason=family.revoked_reason)
    if link.expires_at <= now:
        raise RefreshTokenExpired("This refresh token has expired: sign in again.")


def _exchange(
    session: Session, *, family: DeviceSession, link: _Link, lifetimes: TokenLifetimes, now: datetime
) -> Grant | None:
    """Return the successor, new or the same again; None for a reuse."""
    if link.rotated_at is None:
        return _rotate(session, family=family, link=link, lifetimes=lifetimes, now=now)
    honest = is_honest_retry(
        rotated_at=link.rotated_at,
        successor_rotated_at=link.successor_rotated_at,
        grace_seconds=lifetimes.reuse_grace_seconds,
        now=now,
    )
    if not honest or link.sealed_successor is None or link.successor_expires_at is None:
        return None
    return Grant(
        account_id=family.account_id,
        session_id=family.id,
        refresh_token=open_successor(token=link.token, sealed=link.sealed_successor),
        refresh_expires_at=link.successor_expires_at,
        is_moderator=link.is_moderator,
    )


def _rotate(
    session: Session, *, family: DeviceSession, link: _Link, lifetimes: TokenLifetimes, now: datetime
) -> Grant:
    grant = Grant(
        account_id=family.account_id,
        session_id=family.id,
        refresh_token=new_refresh_token(),
        refresh_expires_at=now + timedelta(seconds=lifetimes.refresh_seconds),
        is_moderator=link.is_moderator,
    )
    successor_id = new_id()
    insert_refresh_token(session, token_id=successor_id, grant=grant, now=now)
    session.execute(
        update(RefreshToken)
        .where(RefreshToken.id == link.id)
        .values(
            rotated_at=now,
            # From now on it lives as long as its successor does: who lost the answer comes back with it.
            expires_at=grant.refresh_expires_at,
            successor_id=successor_id,
            sealed_successor=seal_successor(token=link.token, successor=grant.refresh_token),
        )
        .execution_options(synchronize_session=False)
    )
    return grant

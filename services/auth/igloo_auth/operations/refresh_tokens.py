"""Refresh tokens: exchanged for their successor, the same one each time; a stolen one ends its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

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
from igloo_common.statements import Statement


class RefreshTokenInvalid(GrantRefused):
    """Nobody was ever given this token, or it is long gone."""


class RefreshTokenExpired(GrantRefused):
    """The token was not used for so long that its session is over."""


class RefreshTokenReused(GrantRefused):
    """The token was exchanged before and its successor used: one of the two holders is a thief."""


class SessionRevoked(GrantRefused):
    """The session that the token belongs to was ended; `reason` says why."""


@dataclass(frozen=True)
class _Link:
    """A presented token with what is known of it, of its session and of its successor."""

    id: UUID
    expires_at: datetime
    session_id: UUID
    revoked_at: datetime | None
    revoked_reason: str | None
    account_id: UUID
    is_moderator: bool
    rotated_at: datetime | None
    sealed_successor: bytes | None
    successor_expires_at: datetime | None
    successor_rotated_at: datetime | None


# In the order of `_Link`.
_READ_LINK = Statement("""
SELECT t.id, t.expires_at, s.id, s.revoked_at, s.revoked_reason, a.id, a.is_moderator,
       t.rotated_at, t.sealed_successor, n.expires_at, n.rotated_at
FROM refresh_tokens t
JOIN sessions s ON s.id = t.session_id
JOIN accounts a ON a.id = s.account_id
LEFT JOIN refresh_tokens n ON n.id = t.successor_id
WHERE t.token_hash = %(token_hash)s
""")
# From now on the token lives as long as its successor does: who lost the answer comes back with it.
_ROTATE = Statement("""
UPDATE refresh_tokens SET rotated_at = %(now)s, expires_at = %(expires_at)s,
    successor_id = %(successor_id)s, sealed_successor = %(sealed_successor)s
WHERE id = %(id)s
""")
_SEE_SESSION = Statement("""
UPDATE sessions SET last_seen_at = %(now)s, ip_prefix = %(network)s,
    expires_at = greatest(expires_at, %(expires_at)s)
WHERE id = %(id)s
""")


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
    link = _lock_and_read(session, token=token)
    _refuse_ended(link, now=now)
    grant = _exchange(session, token=token, link=link, lifetimes=lifetimes, now=now)
    if grant is None:
        _end_reused(session, session_id=link.session_id, network=network, lifetimes=lifetimes, now=now)
        return RefreshTokenReused("This refresh token was used before: its session has been ended.")
    seen = {"id": link.session_id, "network": network, "expires_at": grant.refresh_expires_at, "now": now}
    _SEE_SESSION.run(session, seen)
    return grant


def _lock_and_read(session: Session, *, token: str) -> _Link:
    token_hash = hash_refresh_token(token)
    lock_session_of_token(session, token_hash=token_hash)
    found = _READ_LINK.row(session, {"token_hash": token_hash})
    if found is None:
        raise RefreshTokenInvalid("This refresh token is not known.")
    return _Link(*found)


def _refuse_ended(link: _Link, *, now: datetime) -> None:
    if link.revoked_at is not None:
        raise SessionRevoked("This session has ended: sign in again.", reason=link.revoked_reason)
    if link.expires_at <= now:
        raise RefreshTokenExpired("This refresh token has expired: sign in again.")


def _exchange(
    session: Session, *, token: str, link: _Link, lifetimes: TokenLifetimes, now: datetime
) -> Grant | None:
    """Return the successor, new or the same again; None for a reuse."""
    if link.rotated_at is None:
        return _rotate(session, token=token, link=link, lifetimes=lifetimes, now=now)
    honest = is_honest_retry(
        rotated_at=link.rotated_at,
        successor_rotated_at=link.successor_rotated_at,
        grace_seconds=lifetimes.reuse_grace_seconds,
        now=now,
    )
    if not honest or link.sealed_successor is None or link.successor_expires_at is None:
        return None
    return Grant(
        account_id=link.account_id,
        session_id=link.session_id,
        refresh_token=open_successor(token=token, sealed=link.sealed_successor),
        refresh_expires_at=link.successor_expires_at,
        is_moderator=link.is_moderator,
    )


def _rotate(session: Session, *, token: str, link: _Link, lifetimes: TokenLifetimes, now: datetime) -> Grant:
    grant = Grant(
        account_id=link.account_id,
        session_id=link.session_id,
        refresh_token=new_refresh_token(),
        refresh_expires_at=now + timedelta(seconds=lifetimes.refresh_seconds),
        is_moderator=link.is_moderator,
    )
    successor_id = new_id()
    insert_refresh_token(session, token_id=successor_id, grant=grant, now=now)
    _ROTATE.run(
        session,
        {
            "id": link.id,
            "successor_id": successor_id,
            "sealed_successor": seal_successor(token=token, successor=grant.refresh_token),
            "expires_at": grant.refresh_expires_at,
            "now": now,
        },
    )
    return grant


def _end_reused(
    session: Session, *, session_id: UUID, network: str | None, lifetimes: TokenLifetimes, now: datetime
) -> None:
    """End the session of a stolen chain; the caller holds its lock."""
    family = session.get_one(DeviceSession, session_id)
    reason, kind = RevocationReason.REFRESH_TOKEN_REUSED, SecurityEventKind.REFRESH_TOKEN_REUSED
    end_session(session, ended=family, reason=reason, lifetimes=lifetimes, now=now)
    record_end(session, ended=family, kind=kind, network=network, now=now)

"""What is forgotten, and when: expired tokens, sessions long over, seals past use, half a year's trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from igloo_auth.models.nonces import UsedNonce
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.models.web_sign_ins import AuthorizationCode, AuthorizationRequest
from igloo_auth.settings import TokenLifetimes

SESSION_RETENTION = timedelta(days=30)
"""How long a person can still see that a session was there and why it ended."""
CLOCKS_DIFFER = timedelta(minutes=5)
SECURITY_EVENT_RETENTION = timedelta(days=180, hours=1)
"""The hour is for clocks that differ: the database itself refuses to lose a line of less than 180 days."""
SEAL_MARGIN = timedelta(minutes=15)
"""Kept longer than the grace, so that neither a clock that is ahead nor a grace that an operator makes longer
finds an honest retry without its successor, which would look like theft and sign a person out."""
BATCH_ROWS = 1_000


def prune_refresh_tokens(session: Session, *, now: datetime) -> int:
    """Delete a batch of expired refresh tokens."""
    return delete_batch(session, RefreshToken.id, RefreshToken.expires_at <= now)


def prune_used_nonces(session: Session, *, now: datetime) -> int:
    """Delete a batch of used nonces that are too old for every clock of ours, so that they need no memory."""
    return delete_batch(session, UsedNonce.nonce_hash, UsedNonce.expires_at <= now - CLOCKS_DIFFER)


def prune_sessions(session: Session, *, now: datetime) -> int:
    """Delete a batch of sessions that ended or expired longer ago than the retention, with their tokens."""
    horizon = now - SESSION_RETENTION
    over = or_(DeviceSession.expires_at <= horizon, DeviceSession.revoked_at <= horizon)
    return delete_batch(session, DeviceSession.id, over)


def prune_authorization_requests(session: Session, *, now: datetime) -> int:
    """Delete a batch of web sign-ins whose person did not come back from Facebook in time."""
    return delete_batch(session, AuthorizationRequest.state_hash, AuthorizationRequest.expires_at <= now)


def prune_authorization_codes(session: Session, *, now: datetime) -> int:
    """Delete a batch of codes that have expired, traded or not."""
    return delete_batch(session, AuthorizationCode.code_hash, AuthorizationCode.expires_at <= now)


def prune_security_events(session: Session, *, now: datetime) -> int:
    """Delete a batch of lines of the trail that are past their time."""
    over = SecurityEvent.occurred_at <= now - SECURITY_EVENT_RETENTION
    return delete_batch(session, SecurityEvent.id, over)


def delete_batch(session: Session, key: InstrumentedAttribute[Any], over: ColumnElement[bool]) -> int:
    """Delete up to `BATCH_ROWS` rows that are over; returns how many, less than that when done."""
    batch = select(key).where(over).limit(BATCH_ROWS)
    deleted = session.execute(
        delete(key.class_)
        # Asked again of the row itself: an exchange that was quicker has given it more time.
        .where(key.in_(batch), over)
        .returning(key)
        .execution_options(synchronize_session=False)
    )
    return len(deleted.all())


def erase_seals(session: Session, *, lifetimes: TokenLifetimes, now: datetime) -> int:
    """Erase the sealed successors of tokens whose retries are over: used successors, well past the grace."""
    successor, grace = aliased(RefreshToken), timedelta(seconds=lifetimes.reuse_grace_seconds)
    erased = session.execute(
        update(RefreshToken)
        .where(
            RefreshToken.sealed_successor.is_not(None),
            RefreshToken.rotated_at < now - grace - SEAL_MARGIN,
            successor.id == RefreshToken.successor_id,
            successor.rotated_at.is_not(None),
        )
        .values(sealed_successor=None)
        .returning(RefreshToken.id)
        .execution_options(synchronize_session=False)
    )
    return len(erased.all())

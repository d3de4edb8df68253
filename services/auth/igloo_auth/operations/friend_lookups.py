"""Look-ups of Facebook friends: noted at the sign-in, made by the worker, gone with the answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from igloo_auth.events import FriendsFound
from igloo_auth.models.accounts import Account
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.operations.token_seals import seal_token
from igloo_auth.queries.facebook_identities import accounts_of_facebook_users
from igloo_common.outbox import emit
from igloo_common.statements import Statement

FRIENDS_CHANNEL: Final = "auth_friend_lookups"
TOKEN_KEPT_FOR: Final = timedelta(minutes=15)
LEASE: Final = timedelta(minutes=2)
"""Longer than a look-up may take; after it another worker takes over from one that died."""

_REQUEST = Statement("""
INSERT INTO friend_lookups (account_id, sealed_token, due_at, expires_at, attempts)
VALUES (%(account_id)s, %(sealed_token)s, %(now)s, %(expires_at)s, 0)
ON CONFLICT (account_id) DO UPDATE SET sealed_token = excluded.sealed_token, due_at = excluded.due_at,
    expires_at = excluded.expires_at, attempts = excluded.attempts
""")
_WAKE_WORKER = Statement("SELECT pg_notify(%(channel)s, '')")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One worker's right to make one look-up, until its lease ends."""

    account_id: UUID
    sealed_token: bytes = field(repr=False)
    due_at: datetime
    expires_at: datetime
    attempts: int


def request_friend_lookup(
    session: Session, *, account_id: UUID, token: str, secret_key: str, now: datetime
) -> None:
    """Have the worker look for a person's friends with this token, instead of with an earlier one."""
    _REQUEST.run(
        session,
        {
            "account_id": account_id,
            "sealed_token": seal_token(token, secret_key=secret_key),
            "expires_at": now + TOKEN_KEPT_FOR,
            "now": now,
        },
    )
    _WAKE_WORKER.run(session, {"channel": FRIENDS_CHANNEL})


def claim_friend_lookup(session: Session, *, now: datetime) -> Claim | None:
    """Claim a look-up that is due, or whose worker let its lease run out; none when nothing is due."""
    next_due = (
        select(FriendLookup.account_id)
        .where(FriendLookup.due_at <= now)
        .order_by(FriendLookup.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    account_id = session.scalar(next_due)
    if account_id is None:
        return None
    claimed = session.execute(
        update(FriendLookup)
        .where(FriendLookup.account_id == account_id)
        .values(due_at=now + LEASE, attempts=FriendLookup.attempts + 1)
        .returning(
            FriendLookup.account_id,
            FriendLookup.sealed_token,
            FriendLookup.due_at,
            FriendLookup.expires_at,
            FriendLookup.attempts,
        )
        .execution_options(synchronize_session=False)
    ).one()
    return Claim(**claimed._mapping)


def finish_friend_lookup(
    session: Session, claim: Claim, *, facebook_user_ids: Collection[str], now: datetime
) -> bool:
    """Publish the friends and forget the token; False when the claim is no longer the one that counts."""
    if not abandon_friend_lookup(session, claim):
        return False
    announce_friends(session, account_id=claim.account_id, facebook_user_ids=facebook_user_ids, now=now)
    return True


def abandon_friend_lookup(session: Session, claim: Claim) -> bool:
    """Forget the token without an answer; False when a later sign-in has brought another one meanwhile."""
    forgotten = session.scalar(
        delete(FriendLookup)
        .where(*_held_by(claim))
        .returning(FriendLookup.account_id)
        .execution_options(synchronize_session=False)
    )
    return forgotten is not None


def postpone_friend_lookup(session: Session, claim: Claim, *, pause: timedelta, now: datetime) -> None:
    """Let the look-up be claimed again after a pause, at the latest when its token is to be forgotten."""
    session.execute(
        update(FriendLookup)
        .where(*_held_by(claim))
        .values(due_at=min(now + pause, claim.expires_at))
        .execution_options(synchronize_session=False)
    )


def announce_friends(
    session: Session, *, account_id: UUID, facebook_user_ids: Collection[str], now: datetime
) -> None:
    """Publish all of a person's friends who are here; none is news too, as it replaces what was known."""
    alive = session.scalar(select(Account.id).where(Account.id == account_id, Account.deleted_at.is_(None)))
    if alive is None:
        return
    friends = accounts_of_facebook_users(session, facebook_user_ids=facebook_user_ids)
    found = FriendsFound(
        account_id=account_id,
        friend_ids=tuple(friend for friend in friends if friend != account_id),
        found_at=now,
    )
    emit(session, found, now=now)


def _held_by(claim: Claim) -> tuple[Any, ...]:
    # The due time is the lease that this claim took; a later sign-in has written its own.
    return (
        FriendLookup.account_id == claim.account_id,
        FriendLookup.due_at == claim.due_at,
        FriendLookup.sealed_token == claim.sealed_token,
    )

"""Look-ups of Facebook friends: noted at the sign-in, made by the worker, gone with the answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_auth.events import FriendsFound
from igloo_auth.operations.token_seals import seal_token
from igloo_auth.queries.facebook_identities import accounts_of_facebook_users
from igloo_common.outbox import emit, was_announced
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
# In the order of `Claim`.
_CLAIM = Statement("""
WITH due AS (
    SELECT account_id FROM friend_lookups WHERE due_at <= %(now)s
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE friend_lookups f SET due_at = %(leased_until)s, attempts = f.attempts + 1
FROM due WHERE f.account_id = due.account_id
RETURNING f.account_id, f.sealed_token, f.due_at, f.expires_at, f.attempts
""")
# The due time is the lease that the claim took; a later sign-in has written its own.
_FORGET = Statement("""
DELETE FROM friend_lookups
WHERE account_id = %(account_id)s AND due_at = %(due_at)s AND sealed_token = %(sealed_token)s
""")
_POSTPONE = Statement("""
UPDATE friend_lookups SET due_at = %(next_due_at)s
WHERE account_id = %(account_id)s AND due_at = %(due_at)s AND sealed_token = %(sealed_token)s
""")
_ALIVE = Statement("SELECT 1 FROM accounts WHERE id = %(account_id)s AND deleted_at IS NULL")


@dataclass(frozen=True)
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
    claimed = _CLAIM.row(session, {"leased_until": now + LEASE, "now": now})
    return None if claimed is None else Claim(*claimed)


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
    return _FORGET.count(session, _held_by(claim)) == 1


def postpone_friend_lookup(session: Session, claim: Claim, *, pause: timedelta, now: datetime) -> None:
    """Let the look-up be claimed again after a pause, at the latest when its token is to be forgotten."""
    _POSTPONE.run(session, {**_held_by(claim), "next_due_at": min(now + pause, claim.expires_at)})


def announce_friends(
    session: Session, *, account_id: UUID, facebook_user_ids: Collection[str], now: datetime
) -> None:
    """Publish all of a person's friends who are here; none is news too, as it replaces what was known."""
    alive = _ALIVE.send(session, {"account_id": account_id})
    friends = accounts_of_facebook_users(session, facebook_user_ids=facebook_user_ids)
    if not alive.rows():
        return
    found = FriendsFound(
        account_id=account_id,
        friend_ids=tuple(friend for friend in friends if friend != account_id),
        found_at=now,
    )
    emit(session, found, now=now)


def take_back_friends(session: Session, *, account_id: UUID, found_at: datetime, now: datetime) -> None:
    """Publish that a person shares no friends any more, as of a moment, if friends were ever published."""
    nobody = FriendsFound(account_id=account_id, friend_ids=(), found_at=found_at)
    if was_announced(session, nobody.aggregate_key):
        emit(session, nobody, now=now)


def _held_by(claim: Claim) -> dict[str, object]:
    return {"account_id": claim.account_id, "due_at": claim.due_at, "sealed_token": claim.sealed_token}

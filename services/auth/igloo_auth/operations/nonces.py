"""Nonces of Limited Login: each is good for one sign-in."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from igloo_auth.operations.grants import GrantRefused
from igloo_auth.policies.nonces import RANDOM_BYTES, make_nonce, read_nonce
from igloo_common.statements import Statement

_SPEND = Statement("""
INSERT INTO used_nonces (nonce_hash, expires_at) VALUES (%(nonce_hash)s, %(expires_at)s)
ON CONFLICT (nonce_hash) DO NOTHING
""")


class NonceInvalid(GrantRefused):
    """The id token's nonce is none that this service gave out, or is too old; `reason` says which."""


class NonceReused(GrantRefused):
    """Somebody has signed in with this nonce already."""


def issue_nonce(*, secret_key: str, now: datetime) -> str:
    """Make a nonce; nothing is stored."""
    return make_nonce(random_bytes=secrets.token_bytes(RANDOM_BYTES), secret_key=secret_key, now=now)


def spend_nonce(session: Session, *, nonce: str | None, secret_key: str, now: datetime) -> None:
    """Use a nonce up, with the transaction that signs its person in: rolled back, it was never used.

    Of two that present the same nonce at once, the second waits for the first to commit.

    Raises:
        NonceInvalid, NonceReused: When it is not good for a sign-in.
    """
    if nonce is None:
        raise NonceInvalid(
            "The id token has no nonce: log in with one of POST /v1/auth/nonces.", reason="missing"
        )
    found = read_nonce(nonce, secret_key=secret_key)
    if found is None:
        raise NonceInvalid("The id token's nonce was not given out here.", reason="unknown")
    if found.expires_at <= now:
        raise NonceInvalid("The id token's nonce is too old: log in with a new one.", reason="expired")
    if not _SPEND.count(session, {"nonce_hash": found.nonce_hash, "expires_at": found.expires_at}):
        raise NonceReused("The id token's nonce was used already: log in with a new one.")

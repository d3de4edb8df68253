"""Refresh tokens as text: made at random, compared by hash, and handed on under seal.

Only hashes are stored, yet an exchanged token that comes again within its grace must give the *same*
successor. So the successor is stored encrypted under a key made from the exchanged token: whoever presents
that token brings the key along, and the database alone opens nothing. Deriving successors from a server key
instead would let one leaked key and any old token compute every later one, and would log everybody out when
the key is changed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

SECRET_BYTES = 32
_SEAL_PURPOSE = b"igloo refresh token successor v1"


def new_refresh_token() -> str:
    """Make a token of 256 random bits."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_refresh_token(token: str) -> bytes:
    """Return what is stored of a token. A plain SHA-256 is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


def seal_successor(*, token: str, successor: str) -> bytes:
    """Encrypt `successor` so that `token` opens it.

    A one-time pad: each token has one successor, so that the pad is used once. The successor's stored hash
    authenticates what comes out.
    """
    return _xor(urlsafe_b64decode(successor + "="), _pad(token))


def open_successor(*, token: str, sealed: bytes) -> str:
    """Return the successor that was sealed for `token`."""
    return urlsafe_b64encode(_xor(sealed, _pad(token))).decode().rstrip("=")


def _pad(token: str) -> bytes:
    return hmac.digest(token.encode(), _SEAL_PURPOSE, "sha256")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))

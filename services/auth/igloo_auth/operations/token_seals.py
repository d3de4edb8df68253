"""How a Facebook token is kept for minutes: encrypted, under a key that is not in the database."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken

_PURPOSE = b"igloo facebook token seal v1"


class SealBroken(Exception):
    """The sealed token cannot be opened: it was sealed under another SECRET_KEY, or is damaged."""


def seal_token(token: str, *, secret_key: str) -> bytes:
    """Encrypt and authenticate a token; two seals of the same token differ."""
    return _cipher(secret_key).encrypt(token.encode())


def open_token(sealed: bytes, *, secret_key: str) -> str:
    """Return the token that was sealed.

    Raises:
        SealBroken: When it was not sealed under this key.
    """
    try:
        return _cipher(secret_key).decrypt(sealed).decode()
    except InvalidToken:
        raise SealBroken from None


def _cipher(secret_key: str) -> Fernet:
    return Fernet(urlsafe_b64encode(hmac.digest(secret_key.encode(), _PURPOSE, "sha256")))

"""Nonces that we know again by our own signature, so that giving one out stores nothing."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

NONCE_LIFETIME: Final = timedelta(minutes=10)
"""A person may take that long in Facebook's dialog."""
RANDOM_BYTES: Final = 16
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 16
_BYTES: Final = _TIME_BYTES + RANDOM_BYTES + _SIGNATURE_BYTES
_CHARACTERS: Final = 54
_PURPOSE: Final = b"igloo nonce v1"


@dataclass(frozen=True, kw_only=True)
class Nonce:
    """A nonce that we gave out."""

    nonce_hash: bytes
    expires_at: datetime


def make_nonce(*, random_bytes: bytes, secret_key: str, now: datetime) -> str:
    """Return base64url(expiry ‖ random ‖ signature); `random_bytes` are `RANDOM_BYTES` of them."""
    expires_at = int((now + NONCE_LIFETIME).timestamp())
    content = expires_at.to_bytes(_TIME_BYTES, "big") + random_bytes
    return urlsafe_b64encode(content + _signature(content, secret_key)).decode().rstrip("=")


def read_nonce(text: str, *, secret_key: str) -> Nonce | None:
    """Return what a nonce says, expired or not; None when it is not one of ours."""
    if len(text) != _CHARACTERS or not text.isascii():
        return None
    try:
        decoded = urlsafe_b64decode(text + "==")
    except NotBase64:
        return None
    content, signature = decoded[:-_SIGNATURE_BYTES], decoded[-_SIGNATURE_BYTES:]
    if len(decoded) != _BYTES or not hmac.compare_digest(signature, _signature(content, secret_key)):
        return None
    # Of the decoded bytes: base64 has several spellings for the same ones, and each would count as unused.
    return Nonce(
        nonce_hash=hashlib.sha256(decoded).digest(),
        expires_at=datetime.fromtimestamp(int.from_bytes(content[:_TIME_BYTES], "big"), UTC),
    )


def _signature(content: bytes, secret_key: str) -> bytes:
    key = hmac.digest(secret_key.encode(), _PURPOSE, "sha256")
    return hmac.digest(key, content, "sha256")[:_SIGNATURE_BYTES]

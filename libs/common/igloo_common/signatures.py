"""Addresses that carry their own permission: a path, an expiry and a signature over both."""

import hmac
import math
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Final

_SIGNATURE_BYTES = 16
_PURPOSE = b"igloo-address-v1"


def sign_path(path: str, *, expires_at: int, keys: Sequence[str]) -> str:
    """Append `expires` (Unix seconds) and `signature` to a path; the first key signs."""
    return f"{path}?expires={expires_at}&signature={_kept_signature(path, expires_at, keys[0])}"


def verify_path(path: str, *, expires: int, signature: str, now: datetime, keys: Sequence[str]) -> bool:
    """Tell whether any of the keys signed this path and the time has not come; keys rotate by prepending."""
    given = signature.encode()
    matches = [hmac.compare_digest(given, _signature(path, expires, key).encode()) for key in keys]
    return any(matches) and now.timestamp() < expires


def rounded_expiry(now: datetime, *, ttl_seconds: int, round_seconds: int) -> int:
    """Give an expiry at least `ttl_seconds` away, alike for all addresses made within `round_seconds`.

    Equal expiries make equal addresses, which is what lets phones and proxies cache the bytes behind them.
    """
    return math.ceil((now.timestamp() + ttl_seconds) / round_seconds) * round_seconds


def _signature(path: str, expires_at: int, key: str) -> str:
    # Keyed BLAKE2b is a MAC by itself, and costs half of an HMAC.
    message = f"{path}\n{expires_at}".encode()
    return blake2b(message, key=_signing_key(key), person=_PURPOSE, digest_size=_SIGNATURE_BYTES).hexdigest()


# Rounded expiries make the same address come up again and again: a feed page asks for 60 of them and more.
_kept_signature: Final = lru_cache(maxsize=16384)(_signature)


@lru_cache(maxsize=16)
def _signing_key(key: str) -> bytes:
    return blake2b(key.encode(), person=_PURPOSE).digest()

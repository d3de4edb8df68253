"""Proof keys (PKCE, RFC 7636): only who began a sign-in can finish it."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Final

S256: Final = "S256"
"""The one method that is taken: `plain` proves nothing to whoever has seen the request."""
# Published in the API's document too, where `\Z` means nothing: `(?!\n)$` is the end in every dialect.
CHALLENGE_PATTERN: Final = r"^[A-Za-z0-9_-]{43}(?!\n)$"
"""A SHA-256 in base64url, without padding."""
VERIFIER_PATTERN: Final = r"^[A-Za-z0-9._~-]{43,128}(?!\n)$"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def proves(verifier: str, *, challenge: str) -> bool:
    """Tell whether a verifier is the one that the challenge was made of."""
    return hmac.compare_digest(challenge_of(verifier).encode(), challenge.encode())

"""Signed requests as Facebook makes them, and as others would like to."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import datetime

from auth.facebook_server import OUR_APP
from igloo_common.clock import utc_now


def base64url(content: bytes) -> str:
    """Encode without padding."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(payload: str, *, secret: str = OUR_APP[1]) -> str:
    """Put the signature in front of an encoded payload."""
    return f"{base64url(hmac.digest(secret.encode(), payload.encode(), hashlib.sha256))}.{payload}"


def encoded(content: object) -> str:
    """Encode what a payload says."""
    return base64url(json.dumps(content).encode())


def content(
    user_id: str = "4711", *, issued_at: datetime | None = None, **different: object
) -> dict[str, object]:
    """Return what Facebook says of a person."""
    moment = int((issued_at or utc_now()).timestamp())
    return {"algorithm": "HMAC-SHA256", "issued_at": moment, "user_id": user_id, **different}


def signed_request(
    user_id: str = "4711", *, issued_at: datetime | None = None, secret: str = OUR_APP[1], **different: object
) -> str:
    """Make a signed request."""
    return signed(encoded(content(user_id, issued_at=issued_at, **different)), secret=secret)

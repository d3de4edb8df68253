"""Facebook's signed requests: what its callbacks carry, believed only when signed with our app secret."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from igloo_common.errors import Malformed

_ALGORITHM: Final = "HMAC-SHA256"
_OLDEST: Final = timedelta(hours=1)
_CLOCK_SKEW: Final = timedelta(minutes=5)
_LONGEST_USER_ID: Final = 128


class SignedRequestInvalid(Malformed):
    """The signed request is not one that Facebook has just made for our app; `reason` says why.

    `malformed`, `forged`, `algorithm`, `no_time`, `expired`, `not_yet_valid` or `no_person`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("This is no signed request of Facebook's for this app.", extra={"reason": reason})
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class SignedRequest:
    """Whom Facebook speaks of, and when it spoke."""

    facebook_user_id: str
    issued_at: datetime


def read_signed_request(signed_request: str, *, app_secret: str, now: datetime) -> SignedRequest:
    """Return what Facebook has signed.

    https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback/

    Raises:
        SignedRequestInvalid: When it is malformed, forged, signed in another way, too old or about nobody.
    """
    signature, separator, payload = signed_request.partition(".")
    if not separator or not signature or not payload or "." in payload:
        raise SignedRequestInvalid("malformed")
    _check_signature(_decoded(signature), payload, app_secret=app_secret)
    content = _content(payload)
    # Pinned: the signature was checked with the one algorithm there is, whatever this says. It must still
    # say so, or the sender meant something else than we understood.
    if content.get("algorithm") != _ALGORITHM:
        raise SignedRequestInvalid("algorithm")
    user_id = content.get("user_id")
    if not isinstance(user_id, str) or not 0 < len(user_id) <= _LONGEST_USER_ID or "\0" in user_id:
        raise SignedRequestInvalid("no_person")
    return SignedRequest(facebook_user_id=user_id, issued_at=_issued_at(content, now=now))


def _check_signature(signature: bytes, payload: str, *, app_secret: str) -> None:
    expected = hmac.digest(app_secret.encode(), payload.encode(), hashlib.sha256)
    if not hmac.compare_digest(signature, expected):
        raise SignedRequestInvalid("forged")


def _content(payload: str) -> dict[str, Any]:
    try:
        content = orjson.loads(_decoded(payload))
    except orjson.JSONDecodeError:
        raise SignedRequestInvalid("malformed") from None
    if not isinstance(content, dict):
        raise SignedRequestInvalid("malformed")
    return content


def _issued_at(content: dict[str, Any], *, now: datetime) -> datetime:
    seconds = content.get("issued_at")
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise SignedRequestInvalid("no_time")
    if seconds < (now - _OLDEST).timestamp():
        raise SignedRequestInvalid("expired")
    if seconds > (now + _CLOCK_SKEW).timestamp():
        raise SignedRequestInvalid("not_yet_valid")
    return datetime.fromtimestamp(seconds, UTC)


def _decoded(text: str) -> bytes:
    """Decode base64url, with or without padding; any other character is refused, not skipped."""
    try:
        bare = text.rstrip("=").encode("ascii")
        return b64decode(bare + b"=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise SignedRequestInvalid("malformed") from None

"""What the claims of a Limited Login id token must say, and what they say of the person."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

# What Facebook has signed as, exactly: the first is in the tokens of today, the second in its documents, the
# third was in the tokens of the first SDK (v9 to v11).
# https://developers.facebook.com/docs/facebook-login/limited-login/token/validating/
ISSUERS: Final = frozenset(
    {"https://www.facebook.com", "https://limited.facebook.com", "https://facebook.com"}
)
CLOCKS_DIFFER: Final = timedelta(seconds=60)
MAXIMUM_FRIENDS: Final = 5_000
_USER_ID: Final = re.compile(r"[0-9]{1,64}", re.ASCII)


def reason_against_claims(claims: Mapping[str, Any], *, app_id: str, now: datetime) -> str | None:
    """Say why a token that Facebook signed proves nothing to our app: a stable word, or None when it does."""
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or issuer not in ISSUERS:
        return "wrong_issuer"
    # Facebook names one audience. A list, even with our app in it, is a token meant for others too.
    if claims.get("aud") != app_id:
        return "other_app"
    reason = _reason_against_times(claims, now=now)
    if reason is None and not (isinstance(claims.get("sub"), str) and _USER_ID.fullmatch(claims["sub"])):
        return "no_person"
    return reason


def _reason_against_times(claims: Mapping[str, Any], *, now: datetime) -> str | None:
    expires, issued = _time(claims.get("exp")), _time(claims.get("iat"))
    begins = _time(claims.get("nbf", 0))
    if expires is None or issued is None or begins is None:
        return "not_valid"
    if expires <= now.timestamp():
        return "expired"
    return "not_yet_valid" if max(issued, begins) > (now + CLOCKS_DIFFER).timestamp() else None


def _time(value: object) -> float | None:
    """Return a NumericDate (RFC 7519 section 2); what Python's JSON calls one, NaN and all, is not enough."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def nonce_in(claims: Mapping[str, Any]) -> str | None:
    """Return the nonce that the login was begun with."""
    nonce = claims.get("nonce")
    return nonce if isinstance(nonce, str) and nonce else None


def friends_in(claims: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the Facebook user ids of friends who use our app; None when the person shares no friends.

    https://developers.facebook.com/docs/facebook-login/limited-login/permissions
    """
    friends = claims.get("user_friends")
    if not isinstance(friends, list):
        return None
    named = (friend for friend in friends[:MAXIMUM_FRIENDS] if isinstance(friend, str))
    return frozenset(friend for friend in named if _USER_ID.fullmatch(friend))

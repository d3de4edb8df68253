"""Limited Login: Facebook's signed word of who somebody is, verified here, without a call for each sign-in.

https://developers.facebook.com/docs/facebook-login/limited-login/token/validating/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import jwt
from jwt.types import Options

from igloo_auth.facebook.answers import name_of, web_address
from igloo_auth.facebook.failures import FacebookTokenInvalid
from igloo_auth.facebook.id_token_claims import friends_in, nonce_in, reason_against_claims
from igloo_auth.facebook.id_token_keys import ALGORITHM, IdTokenKeys
from igloo_auth.operations.accounts import FacebookPerson

MAXIMUM_KEY_ID_CHARACTERS: Final = 256
# The signature alone is PyJWT's part: the claims are judged by `id_token_claims`, with a reason for each.
_NO_CLAIMS: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


@dataclass(frozen=True, kw_only=True)
class LimitedSignIn:
    """What an id token says, its nonce not yet checked."""

    person: FacebookPerson
    nonce: str | None
    friends: frozenset[str] | None
    """Facebook user ids; None when the person shares no friends with our app."""


class LimitedLogin:
    """Verifies id tokens that were made for our app."""

    def __init__(self, keys: IdTokenKeys, *, app_id: str) -> None:
        self._keys = keys
        self._app_id = app_id

    def close(self) -> None:
        """Close the connection to Facebook."""
        self._keys.close()

    def verify(self, id_token: str, *, now: datetime) -> LimitedSignIn:
        """Return what Facebook says in a token; its nonce is the caller's to spend.

        May fetch Facebook's keys: never call it inside a transaction.

        Raises:
            FacebookTokenInvalid: When Facebook did not sign it, not for our app, or not for now.
            FacebookUnavailable, FacebookFailed: When Facebook's keys cannot be had.
        """
        claims = self._signed_claims(id_token)
        reason = reason_against_claims(claims, app_id=self._app_id, now=now)
        if reason is not None:
            raise FacebookTokenInvalid(reason)
        person = FacebookPerson(
            facebook_user_id=claims["sub"],
            display_name=name_of(claims),
            picture_url=web_address(claims.get("picture")),
        )
        return LimitedSignIn(person=person, nonce=nonce_in(claims), friends=friends_in(claims))

    def _signed_claims(self, id_token: str) -> dict[str, Any]:
        """Return the claims if one of Facebook's keys signed them.

        The header chooses among the keys of the pinned address, and nothing else (RFC 8725 sections 3.1, 3.5
        and 3.10): neither the algorithm, nor a key that the token brings along, nor an address of keys.
        """
        try:
            header = jwt.get_unverified_header(id_token)
            key = None if _is_strange(header) else self._keys.key(header["kid"])
            if key is None:
                raise FacebookTokenInvalid("not_valid")
            claims: dict[str, Any] = jwt.decode(id_token, key, algorithms=[ALGORITHM], options=_NO_CLAIMS)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise FacebookTokenInvalid("not_valid") from None
        return claims


def _is_strange(header: dict[str, Any]) -> bool:
    kid, kind = header.get("kid"), header.get("typ", "JWT")
    return (
        header.get("alg") != ALGORITHM
        # An access token signed by the same keys would be no proof of a login (RFC 8725 section 3.11).
        or not (isinstance(kind, str) and kind.upper() == "JWT")
        or not (isinstance(kid, str) and 0 < len(kid) <= MAXIMUM_KEY_ID_CHARACTERS)
    )

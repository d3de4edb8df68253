"""Access tokens: short-lived JWTs (RFC 9068 profile) that every service verifies by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import jwt

from igloo_auth.tokens.key_documents import ALGORITHM
from igloo_auth.tokens.signing_keys import SigningKeys
from igloo_common.ids import new_id

ACCESS_TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 - the media type of RFC 9068


class AccessTokens:
    """Issues the short-lived tokens that every service verifies by itself."""

    def __init__(self, keys: SigningKeys, *, issuer: str, audience: str, seconds: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self.seconds = seconds

    def issue(self, *, account_id: UUID, session_id: UUID, scope: str, now: datetime) -> str:
        """Sign a token for a session, good from now on for `seconds`; `scope` is separated by spaces."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(account_id),
            "sid": str(session_id),
            "scope": scope,
            "iat": issued_at,
            "exp": issued_at + self.seconds,
            "jti": str(new_id()),
        }
        key = self._keys.current
        headers = {"typ": ACCESS_TOKEN_TYPE, "kid": key.kid}
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)

"""Access tokens as the auth service signs them, for the tests of every service."""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from igloo_common.ids import new_id
from igloo_common.keys import Key

ISSUER: Final = "http://igloo.test"
AUDIENCE: Final = "igloo"
KEY_ID: Final = "test-key"
SIGNING_KEY: Final = ec.generate_private_key(ec.SECP256R1())


class StaticKeys:
    """A key source that knows the tests' key, or the ones it is given."""

    def __init__(self, keys: dict[str, Key] | None = None) -> None:
        self._keys = {KEY_ID: SIGNING_KEY.public_key()} if keys is None else keys

    def key(self, kid: str) -> Key | None:
        """Return the key of this id, if there is one."""
        return self._keys.get(kid)

    def withdrawals(self) -> int:
        """Count none: these keys stay."""
        return 0


def token_for(
    user_id: UUID,
    *,
    session_id: UUID | None = None,
    scopes: str = "",
    ttl_seconds: int = 600,
    claims: dict[str, Any] | None = None,
    headers: dict[str, Any] | None = None,
) -> str:
    """Sign an access token; `claims` and `headers` replace single members, and None removes them."""
    now = int(time.time())
    payload: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id or new_id()),
        "scope": scopes,
        "iat": now,
        "exp": now + ttl_seconds,
        "jti": str(new_id()),
        **(claims or {}),
    }
    header: dict[str, Any] = {"typ": "at+jwt", "kid": KEY_ID, **(headers or {})}
    kept = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(kept, SIGNING_KEY, algorithm="ES256", headers=header)


def bearer(user_id: UUID, **more: Any) -> dict[str, str]:  # noqa: ANN401 -- the arguments of token_for
    """Return the request header that makes this user the caller."""
    return {"Authorization": f"Bearer {token_for(user_id, **more)}"}

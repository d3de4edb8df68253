"""Limited Login's id tokens, good ones, and ones with a fault for tests to present."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from igloo_local.facebook.id_token_keys import IdTokenKeys, new_key
from igloo_local.facebook.people import Person
from igloo_local.facebook.signing import base64url

# https://developers.facebook.com/docs/facebook-login/limited-login/token/
ISSUER = "https://www.facebook.com"
_TOKEN_SECONDS = 3600


class Signature(StrEnum):
    """How a token is signed."""

    GOOD = "good"
    UNKNOWN_KEY = "unknown_key"
    """By a key that Facebook never published, under the id of one that it has."""
    NONE = "none"
    PUBLIC_KEY_AS_SECRET = "public_key_as_secret"  # noqa: S105 - the name of a fault
    """HS256 with the published key for a secret: what a careless verifier takes."""


_ALGORITHMS = {Signature.NONE: "none", Signature.PUBLIC_KEY_AS_SECRET: "HS256"}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is different about a token from the one that Facebook would give; None leaves a member out."""

    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    signature: Signature = Signature.GOOD


NO_FAULT = Fault()


class IdTokens:
    """Issues RS256 tokens, and publishes what verifies them."""

    def __init__(self, keys: IdTokenKeys) -> None:
        self.keys = keys

    def issue(
        self,
        person: Person,
        *,
        picture: str,
        nonce: str | None,
        friends: list[str] | None = None,
        fault: Fault = NO_FAULT,
    ) -> str:
        """Issue the token that the phone's SDK would hold after a Limited Login."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": person.app_id,
            "sub": person.id,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
            "jti": str(uuid.uuid4()),
            "nonce": nonce,
            "name": person.name,
            "picture": picture,
            "user_friends": friends,
        }
        return self._sign(_changed(claims, fault.claims), fault)

    def jwks(self) -> dict[str, Any]:
        """Return the public keys as a JWK set."""
        return {"keys": [key.public_jwk for key in self.keys.published]}

    def _sign(self, claims: dict[str, Any], fault: Fault) -> str:
        """Sign by hand: a library would refuse to make most of the faults."""
        key = self.keys.signing
        algorithm = _ALGORITHMS.get(fault.signature, "RS256")
        header = _changed({"typ": "JWT", "alg": algorithm, "kid": key.kid}, fault.header)
        content = f"{_part(header)}.{_part(claims)}"
        return f"{content}.{base64url(_signature(content.encode(), key.private, fault.signature))}"


def _signature(content: bytes, key: rsa.RSAPrivateKey, kind: Signature) -> bytes:
    match kind:
        case Signature.NONE:
            return b""
        case Signature.PUBLIC_KEY_AS_SECRET:
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return hmac.digest(public, content, hashlib.sha256)
        case Signature.UNKNOWN_KEY:
            return new_key().private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        case _:
            return key.sign(content, padding.PKCS1v15(), hashes.SHA256())


def _changed(known: Mapping[str, Any], fault: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**known, **fault}.items() if value is not None}


def _part(content: Mapping[str, Any]) -> str:
    return base64url(json.dumps(content).encode())

"""The document of signing keys: private JWKs, and for each of them from when on it signs."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from jwt import PyJWTError
from jwt.algorithms import ECAlgorithm

from igloo_common.identity import Key

ALGORITHM: Final = "ES256"


class UnreadableKeys(ValueError):
    """It is no document of signing keys; what it is instead is never said, as it may be a secret."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """One key pair; new ones are called by their RFC 7638 thumbprint."""

    kid: str
    private: EllipticCurvePrivateKey = field(repr=False)
    signs_from: int | None
    """In Unix seconds. None is never: such a key verifies what it signed earlier."""

    @cached_property
    def public(self) -> Key:
        """The half that others verify with."""
        return self.private.public_key()

    @cached_property
    def public_jwk(self) -> Mapping[str, str]:
        """The public half as it is published (RFC 7517)."""
        point = ECAlgorithm.to_jwk(self.public, as_dict=True)
        named = {name: point[name] for name in ("kty", "crv", "x", "y")}
        return {**named, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


@dataclass(frozen=True, kw_only=True)
class KeyDocument:
    """Every key there is, in the order in which they were added."""

    keys: tuple[SigningKey, ...]


def new_key(*, signs_from: int) -> SigningKey:
    """Make a key that signs from then on (Unix seconds)."""
    private = generate_private_key(SECP256R1())
    kid = _thumbprint(ECAlgorithm.to_jwk(private, as_dict=True))
    return SigningKey(kid=kid, private=private, signs_from=signs_from)


def read_document(content: bytes) -> KeyDocument:
    """Read a document; members that are not ours are passed over, as RFC 7517 asks.

    In older documents `current` names the key that signs, and the others only verify.

    Raises:
        UnreadableKeys: When it is something else, or no key of it ever signs.
    """
    try:
        document = orjson.loads(content)
        keys = tuple(_signing_key(jwk, current=document.get("current")) for jwk in document["keys"])
    except (ValueError, TypeError, KeyError, AttributeError, PyJWTError):
        # The parsers' own errors carry what they were given: they are not even chained.
        raise UnreadableKeys("not a document of ES256 private JWKs") from None
    if len({key.kid for key in keys}) < len(keys):
        raise UnreadableKeys("two keys of one id")
    if all(key.signs_from is None for key in keys):
        raise UnreadableKeys("no key that signs")
    return KeyDocument(keys=keys)


def write_document(document: KeyDocument) -> bytes:
    """Write a document as it is stored."""
    return orjson.dumps({"keys": [_private_jwk(key) for key in document.keys]}, option=orjson.OPT_INDENT_2)


def _signing_key(jwk: dict[str, Any], *, current: object) -> SigningKey:
    kid, private = jwk["kid"], ECAlgorithm.from_jwk(jwk)
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise ValueError("not a private key on P-256")
    if not isinstance(kid, str) or not kid:
        raise ValueError("a key without an id")
    signs_from = jwk.get("signs_from", 0 if kid == current else None)
    if signs_from is not None and (type(signs_from) is not int or signs_from < 0):
        raise ValueError("signs_from is in Unix seconds")
    return SigningKey(kid=kid, private=private, signs_from=signs_from)


def _private_jwk(key: SigningKey) -> Mapping[str, object]:
    secret = ECAlgorithm.to_jwk(key.private, as_dict=True)["d"]
    return {**key.public_jwk, "d": secret, "signs_from": key.signs_from}


def _thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638: the hash of the required members, in their lexical order."""
    members = orjson.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")})
    return urlsafe_b64encode(hashlib.sha256(members).digest()).decode().rstrip("=")

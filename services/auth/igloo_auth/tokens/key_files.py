"""The file of private keys: made once however many processes start, and read into a key ring."""

from __future__ import annotations

import hashlib
import os
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from jwt.algorithms import ECAlgorithm

from igloo_common.identity import Key


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """One key pair, under its RFC 7638 thumbprint."""

    kid: str
    private: EllipticCurvePrivateKey

    @cached_property
    def public(self) -> Key:
        """The half that others verify with."""
        return self.private.public_key()


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """Every key that may have signed a token still alive; `current` signs the next one."""

    current: SigningKey
    keys: Mapping[str, SigningKey]


def read_key_ring(file: Path) -> KeyRing:
    """Read the keys of a file.

    Raises:
        OSError: When it cannot be read.
        ValueError, TypeError, KeyError, jwt.PyJWTError: When it holds something else.
    """
    document = orjson.loads(file.read_bytes())
    keys = {key.kid: key for key in (_signing_key(jwk) for jwk in document["keys"])}
    return KeyRing(current=keys[document["current"]], keys=keys)


def generate_key_file(file: Path) -> None:
    """Put a file with one new key in place, whole, unless another process was quicker.

    A hard link, unlike a rename, never replaces a file that is there already: of several processes that
    start together, all go on with the key of the first.
    """
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(_new_document())
            written.flush()
            os.fsync(written.fileno())
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        os.unlink(draft)


def _new_document() -> bytes:
    private = generate_private_key(SECP256R1())
    jwk = ECAlgorithm.to_jwk(private, as_dict=True)
    kid = _thumbprint(jwk)
    key = {**jwk, "kid": kid, "alg": "ES256", "use": "sig"}
    return orjson.dumps({"current": kid, "keys": [key]}, option=orjson.OPT_INDENT_2)


def _thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638: the hash of the required members, in their lexical order."""
    members = orjson.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")})
    return urlsafe_b64encode(hashlib.sha256(members).digest()).decode().rstrip("=")


def _signing_key(jwk: dict[str, Any]) -> SigningKey:
    private = ECAlgorithm.from_jwk(jwk)
    if not isinstance(private, EllipticCurvePrivateKey) or not isinstance(private.curve, SECP256R1):
        raise ValueError("not a private key on P-256")
    return SigningKey(kid=jwk["kid"], private=private)

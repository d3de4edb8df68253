"""The keys of Limited Login's id tokens: one signs, those before it stay published for a while."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from igloo_local.files import write_secret

_KEY_BITS = 2048


@dataclass(frozen=True)
class IdTokenKey:
    """A private key in PEM; published until `published_until` (Unix seconds), for ever when that is None."""

    pem: str
    published_until: float | None = None

    @cached_property
    def private(self) -> rsa.RSAPrivateKey:
        """The key that signs."""
        key = serialization.load_pem_private_key(self.pem.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("an id token key of another kind")
        return key

    @cached_property
    def kid(self) -> str:
        """Its id, which looks as Facebook's do."""
        return hashlib.sha1(self.pem.encode(), usedforsecurity=False).hexdigest()

    @property
    def public_jwk(self) -> dict[str, Any]:
        """What the JWKS document says of it."""
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}


def new_key() -> IdTokenKey:
    """Make a key."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return IdTokenKey(pem.decode())


class IdTokenKeys:
    """The keys in one file, the signing one first; the first is made when it is first needed, and kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changing = threading.Lock()

    @property
    def signing(self) -> IdTokenKey:
        """The key that signs now."""
        return self._keys[0]

    @property
    def published(self) -> list[IdTokenKey]:
        """The keys in the JWKS document."""
        now = time.time()
        return [key for key in self._keys if key.published_until is None or key.published_until > now]

    def rotate(self, *, keep_seconds: float) -> IdTokenKey:
        """Sign with a new key from now on, and publish the one before for a while yet."""
        with self._changing:
            before, *older = self._keys
            self._keys = [new_key(), IdTokenKey(before.pem, time.time() + keep_seconds), *older]
            self._write()
        return self.signing

    @cached_property
    def _keys(self) -> list[IdTokenKey]:
        if self._path.exists():
            return [IdTokenKey(**entry) for entry in json.loads(self._path.read_text())]
        self._keys = [new_key()]
        self._write()
        return self._keys

    def _write(self) -> None:
        entries = [{"pem": key.pem, "published_until": key.published_until} for key in self._keys]
        write_secret(self._path, json.dumps(entries))

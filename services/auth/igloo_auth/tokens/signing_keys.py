"""The keys that sign access tokens: ours to use, and their public halves for everybody to know."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

import jwt
from jwt.algorithms import ECAlgorithm

from igloo_auth.tokens.key_files import KeyRing, SigningKey, generate_key_file, read_key_ring
from igloo_common.identity import Key
from igloo_common.settings import ConfigurationError

ALGORITHM: Final = "ES256"
SETTING: Final = "IGLOO_SIGNING_KEYS_FILE"


class SigningKeys:
    """The keys in a file of private JWKs, read when they are first needed.

    Commands that sign nothing (migrations, the worker) run without the file.
    """

    def __init__(self, file: Path, *, generate: bool) -> None:
        self._file = file
        self._generate = generate

    def load(self) -> None:
        """Read the file now, so that a process that cannot sign does not start.

        Raises:
            ConfigurationError: When the file is missing and may not be made, or is not what it should be.
        """
        _ = self._ring

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._ring.current

    def key(self, kid: str) -> Key | None:
        """Return a public key by its id: this makes us our own source of keys."""
        found = self._ring.keys.get(kid)
        return None if found is None else found.public

    def public_document(self) -> dict[str, list[dict[str, Any]]]:
        """Return the JWKS (RFC 7517): the public halves alone."""
        return {"keys": [_public_jwk(key) for key in self._ring.keys.values()]}

    @cached_property
    def _ring(self) -> KeyRing:
        try:
            if self._generate and not self._file.exists():
                generate_key_file(self._file)
            return read_key_ring(self._file)
        except OSError as error:
            raise ConfigurationError([f"{SETTING} cannot be read: {error.strerror}"]) from error
        except (ValueError, TypeError, KeyError, jwt.PyJWTError) as error:
            # The parser's own words could quote the file; they stay out of what is printed.
            problem = f"{SETTING} must hold ES256 private JWKs, with `current` naming one of them"
            raise ConfigurationError([problem]) from error


def _public_jwk(key: SigningKey) -> dict[str, Any]:
    point = ECAlgorithm.to_jwk(key.public, as_dict=True)
    named = {name: point[name] for name in ("kty", "crv", "x", "y")}
    return {**named, "kid": key.kid, "alg": ALGORITHM, "use": "sig"}

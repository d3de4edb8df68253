"""Documents of signing keys for tests, and stores and clocks to follow them with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurve, generate_private_key
from jwt.algorithms import ECAlgorithm

from factories.clocks import HandClock
from igloo_auth.tokens.key_files import FileKeys
from igloo_auth.tokens.key_stores import KeyStore
from igloo_auth.tokens.signing_keys import SigningKeys

NOW = 1_800_000_000
TOKEN_SECONDS = 600
RETIRED_AFTER = TOKEN_SECONDS + 60


def jwk(kid: str, *, curve: EllipticCurve | None = None, **members: object) -> dict[str, Any]:
    """Return a fresh private JWK with further members."""
    key = generate_private_key(curve or SECP256R1())
    return {**ECAlgorithm.to_jwk(key, as_dict=True), "kid": kid, **members}


def document(*keys: dict[str, Any], **members: object) -> bytes:
    """Return a document of these keys."""
    return json.dumps({"keys": keys, **members}).encode()


@dataclass(kw_only=True)
class FollowedKeys:
    """Signing keys of a store, with both clocks in hand."""

    store: KeyStore
    generate: bool = False
    clock: HandClock = field(default_factory=lambda: HandClock(NOW))
    monotonic: HandClock = field(default_factory=HandClock)
    keys: SigningKeys = field(init=False)

    def __post_init__(self) -> None:
        """Make the keys; nothing is read yet."""
        self.keys = SigningKeys(
            self.store,
            token_seconds=TOKEN_SECONDS,
            generate=self.generate,
            unix_time=self.clock,
            monotonic=self.monotonic,
        )

    @property
    def published(self) -> list[str]:
        """The ids in the JWKS."""
        return [key["kid"] for key in self.keys.public_document()["keys"]]

    def pass_seconds(self, seconds: float) -> None:
        """Move both clocks."""
        self.clock.now += seconds
        self.monotonic.now += seconds


def followed(file: Path, *, generate: bool = False) -> FollowedKeys:
    """Follow the keys of a file."""
    return FollowedKeys(store=FileKeys(file), generate=generate)

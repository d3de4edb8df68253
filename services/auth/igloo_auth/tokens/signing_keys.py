"""The keys that sign access tokens: ours to use, and their public halves for everybody to know."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from igloo_auth.tokens.key_documents import (
    KeyDocument,
    SigningKey,
    UnreadableKeys,
    new_key,
    read_document,
    write_document,
)
from igloo_auth.tokens.key_rings import KeyRing
from igloo_auth.tokens.key_stores import KeysChanged, KeysMissing, KeyStore, KeyStoreProblem, StoredKeys
from igloo_common.identity import Key
from igloo_common.settings import ConfigurationError

_LOG = logging.getLogger(__name__)
# For so long others may go on with the published keys that they have.
KEY_SET_SECONDS: Final = 300
_WARN_EVERY_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What was read last."""

    ring: KeyRing
    version: str


class SigningKeys:
    """The keys of a store, read when they are first needed and followed from then on.

    Commands that sign nothing (migrations, the worker) run without any. While the store cannot be read, or
    holds something else, what was read last stays in force. Safe to share between threads, and to fork.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        token_seconds: int,
        generate: bool,
        unix_time: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.token_seconds = token_seconds
        self._generate = generate
        self._unix_time = unix_time
        self._monotonic = monotonic
        self._reading: _Reading | None = None
        self._look_again_at = float("-inf")
        self._warn_again_at = float("-inf")
        self._withdrawals = 0
        self._loading = threading.Lock()
        self._looking = threading.Lock()

    def load(self) -> None:
        """Read the keys now, so that a process that cannot sign does not start.

        Raises:
            ConfigurationError: When they are missing and may not be made, or are not what they should be.
        """
        self._ring()

    @property
    def current(self) -> SigningKey:
        """The key that signs now."""
        return self._ring().signer(self._unix_time())

    def key(self, kid: str) -> Key | None:
        """Return a public key by its id: this makes us our own source of keys."""
        found = self._ring().key(kid, self._unix_time())
        return None if found is None else found.public

    def withdrawals(self) -> int:
        """Count how often keys were taken away."""
        if self._reading is not None:
            self._ring()
        return self._withdrawals

    def public_document(self) -> dict[str, Sequence[Mapping[str, str]]]:
        """Return the JWKS (RFC 7517): the public halves alone."""
        return {"keys": [key.public_jwk for key in self._ring().published(self._unix_time())]}

    def _ring(self) -> KeyRing:
        reading = self._reading
        if reading is None:
            return self._first().ring
        if self._monotonic() >= self._look_again_at and self._looking.acquire(blocking=False):
            self._look_again()
            return (self._reading or reading).ring
        return reading.ring

    def _first(self) -> _Reading:
        with self._loading:
            if self._reading is None:
                self._look_again_at = self._monotonic() + self.store.reread_seconds
                self._reading = self._loaded()
            return self._reading

    def _loaded(self) -> _Reading:
        try:
            return self._read(self._stored())
        except KeyStoreProblem as problem:
            raise ConfigurationError([str(problem)]) from problem
        except UnreadableKeys:
            problem_ = f"{self.store.setting} must hold ES256 private JWKs, each with the time it signs_from"
            raise ConfigurationError([problem_]) from None

    def _stored(self) -> StoredKeys:
        try:
            return self.store.read()
        except KeysMissing:
            if not self._generate:
                raise
        return made_first_keys(self.store)

    def _read(self, stored: StoredKeys) -> _Reading:
        document = read_document(stored.content)
        return _Reading(ring=KeyRing(document, token_seconds=self.token_seconds), version=stored.version)

    def _look_again(self) -> None:
        """Look whether the document has changed; who calls holds `_looking`, which is given back then."""
        self._look_again_at = self._monotonic() + self.store.reread_seconds
        if not self.store.asks_network:
            self._look()
            return
        try:
            threading.Thread(target=self._look, name="signing-keys", daemon=True).start()
        except RuntimeError:
            self._looking.release()
            raise

    def _look(self) -> None:
        try:
            stored = self.store.read()
            if self._reading is None or stored.version != self._reading.version:
                self._take(self._read(stored))
        except (KeyStoreProblem, UnreadableKeys) as problem:
            self._warn(problem)
        finally:
            self._looking.release()

    def _take(self, reading: _Reading) -> None:
        before = self._reading
        self._reading = reading
        # Counted after the change, so that who sees the new number also sees the new keys.
        if before is not None and not _keys_of(before) <= _keys_of(reading):
            self._withdrawals += 1
        _LOG.info("The signing keys have changed", extra={"kids": [kid for kid, _ in _keys_of(reading)]})

    def _warn(self, problem: Exception) -> None:
        if self._monotonic() < self._warn_again_at:
            return
        self._warn_again_at = self._monotonic() + _WARN_EVERY_SECONDS
        _LOG.warning(
            "The signing keys cannot be read again; those read last stay in force",
            extra={"setting": self.store.setting, "reason": str(problem)},
        )


def made_first_keys(store: KeyStore) -> StoredKeys:
    """Make the first key, unless somebody else is quicker; return what is there then."""
    first = KeyDocument(keys=(new_key(signs_from=0),))
    try:
        store.write(write_document(first), replacing=None)
    except KeysChanged:
        _LOG.info("Another process has made the first signing key")
    return store.read()


def _keys_of(reading: _Reading) -> set[tuple[str, str]]:
    return {(key.kid, key.public_jwk["x"]) for key in reading.ring.document.keys}

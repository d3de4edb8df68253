"""Where the public keys come from that access tokens are verified with."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import orjson
import requests
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from igloo_common.errors import Unavailable
from igloo_common.key_looks import KeyLooks

Key = EllipticCurvePublicKey

_LOG = logging.getLogger(__name__)
_TIMEOUT_SECONDS: Final = 2.0
_MAX_DOCUMENT_BYTES: Final = 256 * 1024
_REFRESH_SECONDS: Final = 300.0
# An older document than this was due for a look some time ago, and the look came to nothing.
STALE_AFTER_SECONDS: Final = 2 * _REFRESH_SECONDS
# How long after the last attempt there is no other: for an id that was looked for before (of others KeyLooks
# decides), for a document that could not be had, and for one that is merely old.
_UNKNOWN_ID_SECONDS: Final = 5.0
_MISSING_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 30.0


class KeySource(Protocol):
    """Gives public keys by their id."""

    def key(self, kid: str) -> Key | None:
        """Return the key, or None when there is certainly no such key.

        Raises:
            KeysUnavailable: when it cannot be told now.
        """

    def withdrawals(self) -> int:
        """Count how often keys were taken away; once it rises, what was verified before may not hold.

        Looks whether the keys are still what they were, where that is due, and never fails.
        """


class KeysUnavailable(Unavailable):
    """The signing keys cannot be fetched, so a token cannot be judged: not the caller's fault."""


class RemoteKeys:
    """The keys of a JWKS document (RFC 7517), kept in memory and fetched again as seldom as possible.

    Known keys keep verifying while the publisher is down. An unknown key id causes a fetch, some at once and
    one a second however many such tokens come. "No" is said of an id only when a document lacks it that was
    fetched after the id was first seen, or had it before: whoever sprays made-up ids keeps no new key from
    being found. Everything else is "cannot be told": a publisher's restart must not sign people out.
    """

    def __init__(self, jwks_url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = jwks_url
        self._monotonic = monotonic
        self._keys: Mapping[str, Key] = {}
        self._withdrawn: frozenset[str] = frozenset()
        self._withdrawals = 0
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failed = True
        self._looks = KeyLooks(monotonic=monotonic)
        self._fetching = threading.Lock()

    def key(self, kid: str) -> Key | None:
        """Return the key, fetching the document when the id is new or the document is old."""
        if kid not in self._keys:
            return self._unknown(kid)
        self._refresh()
        return self._keys.get(kid)

    def withdrawals(self) -> int:
        """Count the documents that lacked a key of the one before; an old one is fetched again first."""
        if self._keys:
            self._refresh()
        return self._withdrawals

    def age_seconds(self) -> float | None:
        """Tell how old the document in use is, None when there is none; looks again where that is due.

        A process that never had one asks for it here, before the first token comes.
        """
        if self._keys:
            self._refresh()
        else:
            with self._fetching:
                if not self._keys:
                    self._fetch_after(_MISSING_SECONDS)
        return self._monotonic() - self._fetched_at if self._keys else None

    def _refresh(self) -> None:
        # One thread fetches; the others go on with the document they have.
        if self._monotonic() - self._fetched_at > _REFRESH_SECONDS and self._fetching.acquire(blocking=False):
            try:
                self._fetch_after(_STALE_SECONDS)
            finally:
                self._fetching.release()

    def _unknown(self, kid: str) -> Key | None:
        first_seen_at = self._looks.first_seen_at(kid)
        with self._fetching:
            if kid not in self._keys:
                self._look_for(kid, first_seen_at=first_seen_at)
        found = self._keys.get(kid)
        if found is not None or kid in self._withdrawn:
            return found
        if self._failed or self._fetched_at < first_seen_at:
            raise KeysUnavailable("The signing keys cannot be fetched at the moment.")
        return None

    def _look_for(self, kid: str, *, first_seen_at: float) -> None:
        was_looked_for = kid in self._withdrawn or self._fetched_at >= first_seen_at
        if self._failed:
            self._fetch_after(_MISSING_SECONDS)
        elif not was_looked_for and self._looks.take():
            self._fetch_after(0)
        else:
            self._fetch_after(_UNKNOWN_ID_SECONDS)

    def _fetch_after(self, pause_seconds: float) -> None:
        now = self._monotonic()
        if now - self._tried_at < pause_seconds:
            return
        try:
            self._take(_fetch(self._url))
        except (requests.RequestException, ValueError) as error:
            self._failed = True
            _LOG.warning("Signing keys could not be fetched", extra={"url": self._url, "reason": repr(error)})
        else:
            self._failed = False
            # What was published while the answer was on its way may be missing in it.
            self._fetched_at = now
        # Counted from the end: who waited for an attempt that took long does not begin another.
        self._tried_at = self._monotonic()

    def _take(self, keys: Mapping[str, Key]) -> None:
        before, self._keys = self._keys, keys
        self._withdrawn = (self._withdrawn | before.keys()) - keys.keys()
        # Counted after the change, so that who sees the new number also sees the new keys.
        if any(keys.get(kid) != key for kid, key in before.items()):
            self._withdrawals += 1


def parse_keys(document: object) -> Mapping[str, Key]:
    """Read the ES256 verification keys out of a JWKS document; others are ignored.

    Raises:
        ValueError: when it is no JWKS, or has no key that can be used.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS document")
    keys = {kid: key for entry in entries for kid, key in _usable(entry)}
    if not keys:
        raise ValueError("a JWKS document without any ES256 key")
    return keys


def _usable(entry: object) -> list[tuple[str, Key]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str):
        return []
    if entry.get("kty") != "EC" or entry.get("crv") != "P-256" or entry.get("use", "sig") != "sig":
        return []
    try:
        key = PyJWK(entry, algorithm="ES256").key
    except PyJWTError:
        return []
    # A private key in a public document still has only its public half taken.
    public = key if isinstance(key, EllipticCurvePublicKey) else key.public_key()
    return [(entry["kid"], public)]


def _fetch(url: str) -> Mapping[str, Key]:
    with requests.Session() as session:
        # The address is inside our own network: a proxy set for the machine does not know it.
        session.trust_env = False
        with session.get(url, timeout=_TIMEOUT_SECONDS, stream=True, allow_redirects=False) as reply:
            reply.raise_for_status()
            body = reply.raw.read(_MAX_DOCUMENT_BYTES + 1, decode_content=True)
    if len(body) > _MAX_DOCUMENT_BYTES:
        raise ValueError("a JWKS document that is too large")
    return parse_keys(orjson.loads(body))

"""The keys that Facebook signs id tokens with, kept in memory and fetched as seldom as possible."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import orjson
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from igloo_auth.facebook.failures import TemporaryFailure
from igloo_auth.facebook.transport import Patience, as_temporary, make_session
from igloo_common.key_looks import KeyLooks

log = logging.getLogger(__name__)

ALGORITHM: Final = "RS256"
REFRESH_SECONDS: Final = 15 * 60.0
STALE_SECONDS: Final = 24 * 3600.0
"""A key that Facebook has withdrawn is honoured for this long at most, however long Facebook is away."""
# How long after the last attempt there is no other: for an id that was looked for before (of others KeyLooks
# decides), for a document that could not be had, and for one that is merely old.
UNKNOWN_ID_SECONDS: Final = 5.0
MISSING_SECONDS: Final = 1.0
OLD_SECONDS: Final = 60.0
WAITING_SECONDS: Final = 1.0
"""How long a sign-in waits while another one fetches."""
_MINIMUM_BITS: Final = 2048
_MAXIMUM_KEYS: Final = 100


class IdTokenKeys:
    """The JWKS document at one address (RFC 7517).

    Known keys go on verifying while Facebook is away. An unknown key id has the document fetched, some at
    once and one a second however many such tokens come. "No" is said of an id only when a document lacks it
    that was fetched after the id was first seen; before that, and while no document can be had, the answer
    is "cannot be told".
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        patience: Patience | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = jwks_url
        self._patience = patience or Patience()
        self._monotonic = monotonic
        self._http = make_session(jwks_url, connections=1)
        self._keys: Mapping[str, RSAPublicKey] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failure: TemporaryFailure | None = TemporaryFailure("never fetched")
        self._looks = KeyLooks(monotonic=monotonic)
        self._fetching = threading.Lock()

    def close(self) -> None:
        """Close the connection to Facebook."""
        self._http.close()

    def key(self, kid: str) -> RSAPublicKey | None:
        """Return a key by its id; None when there is certainly no such key.

        May fetch the document: never call it inside a transaction.

        Raises:
            FacebookUnavailable, FacebookFailed: When it cannot be told now.
        """
        if kid not in self._known():
            return self._unknown(kid)
        age = self._monotonic() - self._fetched_at
        # One thread asks, and the others go on with what is known.
        if age > REFRESH_SECONDS and self._fetching.acquire(blocking=False):
            try:
                self._fetch_after(OLD_SECONDS)
            finally:
                self._fetching.release()
        return self._keys.get(kid)

    def _known(self) -> Mapping[str, RSAPublicKey]:
        return self._keys if self._monotonic() - self._fetched_at < STALE_SECONDS else {}

    def _unknown(self, kid: str) -> RSAPublicKey | None:
        first_seen_at = self._looks.first_seen_at(kid)
        # Not many threads one after the other: while Facebook hangs, they are needed for something else.
        if not self._fetching.acquire(timeout=WAITING_SECONDS):
            raise TemporaryFailure("another fetch takes long").as_refusal()
        try:
            if kid not in self._known():
                self._look_for(first_seen_at=first_seen_at)
            found, failure, fetched_at = self._known().get(kid), self._failure, self._fetched_at
        finally:
            self._fetching.release()
        if found is None and failure is not None:
            raise failure.as_refusal()
        if found is None and fetched_at < first_seen_at:
            raise TemporaryFailure("too many unknown key ids").as_refusal()
        return found

    def _look_for(self, *, first_seen_at: float) -> None:
        if self._failure:
            self._fetch_after(MISSING_SECONDS)
        elif self._fetched_at < first_seen_at and self._looks.take():
            self._fetch_after(0)
        else:
            self._fetch_after(UNKNOWN_ID_SECONDS)

    def _fetch_after(self, pause_seconds: float) -> None:
        now = self._monotonic()
        if now - self._tried_at < pause_seconds:
            return
        try:
            self._keys = self._fetch()
        except TemporaryFailure as error:
            self._failure = error
            log.warning("facebook's keys cannot be fetched", extra={"url": self._url, "cause": str(error)})
        else:
            self._failure, self._fetched_at = None, now
        # Counted from the end: who waited for an attempt that took long does not begin another.
        self._tried_at = self._monotonic()

    def _fetch(self) -> Mapping[str, RSAPublicKey]:
        deadline = time.monotonic() + self._patience.budget
        try:
            answer = self._http.get(self._url, timeout=self._patience.timeouts(deadline=deadline))
        except requests.RequestException as error:
            raise as_temporary(error) from None
        if answer.status_code != requests.codes.ok:
            is_nonsense = answer.status_code < requests.codes.server_error
            raise TemporaryFailure(f"status {answer.status_code}", is_nonsense=is_nonsense)
        return parse_keys(answer.content)


def parse_keys(body: bytes) -> Mapping[str, RSAPublicKey]:
    """Read the RS256 verification keys out of a JWKS document; others are ignored.

    Raises:
        TemporaryFailure: When it is no JWKS, or has no key that can be used.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise TemporaryFailure("no JSON", is_nonsense=True) from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > _MAXIMUM_KEYS:
        raise TemporaryFailure("no JWKS document", is_nonsense=True)
    found = {kid: key for entry in entries for kid, key in _usable(entry)}
    if not found:
        raise TemporaryFailure("no RS256 key in the JWKS document", is_nonsense=True)
    return found


def _usable(entry: object) -> list[tuple[str, RSAPublicKey]]:
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("kty") != "RSA":
        return []
    if entry.get("use", "sig") != "sig" or entry.get("alg", ALGORITHM) != ALGORITHM:
        return []
    try:
        key = PyJWK(entry, algorithm=ALGORITHM).key
    except (PyJWTError, ValueError, TypeError):
        return []
    public = key.public_key() if isinstance(key, RSAPrivateKey) else key
    return [(entry["kid"], public)] if public.key_size >= _MINIMUM_BITS else []

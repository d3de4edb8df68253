"""Where the public keys come from that access tokens are verified with."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import orjson
import requests

from igloo_common.errors import Unavailable
from igloo_common.key_copies import KeyCopy
from igloo_common.key_looks import KeyLooks
from igloo_common.key_sets import Key, fetch_keys, parse_keys, public_document
from igloo_common.settings import CommonSettings

__all__ = [
    "STALE_AFTER_SECONDS",
    "Key",
    "KeySource",
    "KeysUnavailable",
    "RemoteKeys",
    "published_keys",
]

_LOG = logging.getLogger(__name__)
_REFRESH_SECONDS: Final = 300.0
# An older document than this was due for a look some time ago, and the look came to nothing.
STALE_AFTER_SECONDS: Final = 2 * _REFRESH_SECONDS
# How long after the last attempt there is no other: for an id that was looked for before (of others KeyLooks
# decides), for a document that could not be had, and for one that is merely old.
_UNKNOWN_ID_SECONDS: Final = 5.0
_MISSING_SECONDS: Final = 1.0
_STALE_SECONDS: Final = 30.0
_PROBE_SECONDS: Final = 1.0


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

    What was fetched is left in a copy, and while the publisher is down the copy is taken where it is newer
    than what is known. It says "no" of no id.
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        copy: KeyCopy | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = jwks_url
        self._copy = copy
        self._monotonic = monotonic
        self._keys: Mapping[str, Key] = {}
        self._withdrawn: frozenset[str] = frozenset()
        self._withdrawals = 0
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._failed = True
        self._is_copy = False
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

        A process that never had one asks for it here, before the first token comes, and a moment is waited
        for the answer. Otherwise nothing is.
        """
        if self._is_due:
            look = threading.Thread(target=self._refresh, name="keys", daemon=True)
            look.start()
            if not self._keys:
                look.join(_PROBE_SECONDS)
        return self._monotonic() - self._fetched_at if self._keys else None

    @property
    def are_copied(self) -> bool:
        """Tell whether the keys in use come from the copy, and not from auth itself."""
        return self._is_copy

    @property
    def _is_due(self) -> bool:
        now = self._monotonic()
        pause_seconds = _STALE_SECONDS if self._keys else _MISSING_SECONDS
        is_old = self._failed or now - self._fetched_at > _REFRESH_SECONDS
        return is_old and now - self._tried_at >= pause_seconds

    def _refresh(self) -> None:
        # One thread fetches; the others go on with the document they have.
        if self._is_due and self._fetching.acquire(blocking=False):
            try:
                self._fetch_after(_STALE_SECONDS if self._keys else _MISSING_SECONDS)
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
            if not self._keys:
                # Auth may have come in this very moment, and another process have met it.
                self._take_copy()
            return
        try:
            keys = fetch_keys(self._url)
        except (requests.RequestException, ValueError) as error:
            self._failed = True
            _LOG.warning("Signing keys could not be fetched", extra={"url": self._url, "reason": repr(error)})
            self._take_copy()
        else:
            self._take(keys)
            self._failed = self._is_copy = False
            # What was published while the answer was on its way may be missing in it.
            self._fetched_at = now
            if self._copy is not None:
                self._copy.keep(public_document(keys), age_seconds=self._monotonic() - now)
        # Counted from the end: who waited for an attempt that took long does not begin another.
        self._tried_at = self._monotonic()

    def _take_copy(self) -> None:
        kept = self._copy.read() if self._copy is not None else None
        if kept is None:
            return
        fetched_at = self._monotonic() - kept.age_seconds
        if fetched_at > self._fetched_at:
            keys = parse_keys(orjson.loads(kept.content))
            if keys != self._keys:
                self._take(keys)
                self._is_copy = True
            self._fetched_at = fetched_at

    def _take(self, keys: Mapping[str, Key]) -> None:
        before, self._keys = self._keys, keys
        self._withdrawn = (self._withdrawn | before.keys()) - keys.keys()
        # Counted after the change, so that who sees the new number also sees the new keys.
        if any(keys.get(kid) != key for kid, key in before.items()):
            self._withdrawals += 1


def published_keys(settings: CommonSettings) -> RemoteKeys:
    """Return auth's keys as a service verifies with them, with its copy for when auth is away."""
    return RemoteKeys(settings.jwks_url, copy=KeyCopy(settings))

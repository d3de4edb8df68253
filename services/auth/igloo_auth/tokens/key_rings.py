"""Which key signs, which are published, and which are over: all of it follows from the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from igloo_auth.tokens.key_documents import KeyDocument, SigningKey

# Machines' clocks differ: for about as long the one still signs with what for the other is over.
CLOCK_SKEW_SECONDS: Final = 60
_NEVER: Final = float("inf")


class KeyState(StrEnum):
    """Where a key is in its life."""

    NEXT = "next"
    CURRENT = "current"
    RETIRING = "retiring"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKey:
    """A key, and when no token of it can be alive any more: in Unix seconds, infinite while not known."""

    key: SigningKey
    retires_at: float


class KeyRing:
    """The keys of a document, asked with the time (`now`, in Unix seconds).

    `token_seconds` is for how long a token lives that was signed with any of them.
    """

    def __init__(self, document: KeyDocument, *, token_seconds: int) -> None:
        self.document = document
        # The newest first. Of two that sign from the same second on, the one added later is newer.
        newest_first = sorted(document.keys, key=_age_order)[::-1]
        alive_seconds = token_seconds + CLOCK_SKEW_SECONDS
        self._keys = [
            RingKey(key=key, retires_at=_succeeded_at(key, newest_first[:place]) + alive_seconds)
            for place, key in enumerate(newest_first)
        ]
        self._signers = [key for key in newest_first if key.signs_from is not None]
        self._by_kid = {entry.key.kid: entry for entry in self._keys}

    def signer(self, now: float) -> SigningKey:
        """Return the newest key whose time has come; before any time, the one that comes first.

        A process whose clock is a little behind can thus sign with the very first key, too.
        """
        for key in self._signers:
            if key.signs_from is not None and key.signs_from <= now:
                return key
        return self._signers[-1]

    def key(self, kid: str, now: float) -> SigningKey | None:
        """Return a key that is not over."""
        found = self._by_kid.get(kid)
        return None if found is None or found.retires_at <= now else found.key

    def published(self, now: float) -> Sequence[SigningKey]:
        """Return the keys that are not over, in the order of the document."""
        return [key for key in self.document.keys if self.key(key.kid, now) is not None]

    def retires_at(self, kid: str) -> float:
        """Tell when a key of this ring is over; infinite while nothing follows it."""
        return self._by_kid[kid].retires_at

    def state(self, key: SigningKey, now: float) -> KeyState:
        """Tell where a key of this ring is in its life."""
        if key is self.signer(now):
            return KeyState.CURRENT
        if key.signs_from is not None and key.signs_from > now:
            return KeyState.NEXT
        return KeyState.RETIRED if self.retires_at(key.kid) <= now else KeyState.RETIRING


def _age_order(key: SigningKey) -> int:
    return -1 if key.signs_from is None else key.signs_from


def _succeeded_at(key: SigningKey, newer: Sequence[SigningKey]) -> float:
    """Tell from when on another key signs in its place.

    For a key that never signs it is not known when it did: only one with a time of its own says that enough
    has passed. `signs_from: 0` is no such time, but the beginning.
    """
    starts = [other.signs_from for other in newer if other.signs_from is not None]
    if key.signs_from is None:
        starts = [start for start in starts if start > 0]
    return min(starts, default=_NEVER)

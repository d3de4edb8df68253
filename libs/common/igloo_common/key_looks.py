"""Which unknown key ids are worth a look at the document of keys: each at first, and never all of a flood."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

_AT_ONCE: Final = 60
_EVERY_SECONDS: Final = 1.0
_REMEMBERED_IDS: Final = 1024


class KeyLooks:
    """Remembers since when unknown ids are asked for, and how often was looked for such.

    Some bad tokens are so told at once that they are bad, a key that was published just now is found at once,
    and a flood of made-up ids still costs the publisher one fetch a second.
    """

    def __init__(self, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._unknown_since: dict[str, float] = {}
        self._all_back_at = float("-inf")
        self._changing = threading.Lock()

    def first_seen_at(self, kid: str) -> float:
        """Return since when an id is asked for; one that was forgotten has to wait anew, and no more."""
        with self._changing:
            if kid not in self._unknown_since:
                if len(self._unknown_since) >= _REMEMBERED_IDS:
                    del self._unknown_since[next(iter(self._unknown_since))]
                self._unknown_since[kid] = self._monotonic()
            return self._unknown_since[kid]

    def take(self) -> bool:
        """Take one of the looks that there are; false when there is none."""
        with self._changing:
            now = self._monotonic()
            all_back_at = max(self._all_back_at, now) + _EVERY_SECONDS
            if all_back_at > now + _AT_ONCE * _EVERY_SECONDS:
                return False
            self._all_back_at = all_back_at
            return True

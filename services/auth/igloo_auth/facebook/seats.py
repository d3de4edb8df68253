"""How many threads of a process may wait for Facebook at once: the others are for what does not need it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from igloo_auth.facebook.failures import TemporaryFailure

PATIENCE_SECONDS: Final = 1.0
"""How long a sign-in waits for a seat, and how long a seat is kept before Facebook is taken to hang."""


class FacebookSeats:
    """Half of the threads may wait for Facebook.

    A Facebook that hangs would otherwise soon hold every thread, each for seconds, and refreshing a token or
    signing out would wait behind sign-ins. While Facebook answers, seats are free again within moments.
    """

    def __init__(self, *, threads: int) -> None:
        self._count = max(1, threads // 2)
        self._taken_at: dict[object, float] = {}
        self._changed = threading.Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a seat for the block, in which Facebook is asked.

        Raises:
            FacebookUnavailable: When those who hold the seats do not get an answer either.
        """
        seat = object()
        with self._changed:
            self._changed.wait_for(lambda: self._is_free() or self._all_wait_long(), PATIENCE_SECONDS)
            if not self._is_free():
                raise TemporaryFailure("others wait for it already").as_refusal()
            self._taken_at[seat] = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                del self._taken_at[seat]
                self._changed.notify()

    def _is_free(self) -> bool:
        return len(self._taken_at) < self._count

    def _all_wait_long(self) -> bool:
        return time.monotonic() - max(self._taken_at.values()) > PATIENCE_SECONDS

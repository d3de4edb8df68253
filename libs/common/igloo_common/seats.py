"""So many at once in one process: what takes long shall not take every thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from igloo_common.errors import Unavailable


class AllSeatsTaken(Unavailable):
    """As many of these requests as may be are being worked on; nothing of this one was done."""

    retry_after_seconds = 2


class Seats:
    """Seats for one kind of request. Nobody waits for one: waiting would take the thread all the same."""

    def __init__(self, count: int) -> None:
        self._free = BoundedSemaphore(count)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Keep a seat for the block.

        Raises:
            AllSeatsTaken: there is none.
        """
        if not self._free.acquire(blocking=False):
            raise AllSeatsTaken("Too many of these requests are being worked on; try again in a moment.")
        try:
            yield
        finally:
            self._free.release()

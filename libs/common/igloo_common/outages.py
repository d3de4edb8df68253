"""A server that is out is left alone: the threads of a process share a pause, which grows."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

from igloo_common.backoff import backoff_seconds


class Outage:
    """Whether a server is to be left alone at the moment; one of these is shared by all who ask the server.

    The second failure in a row (one call in a while comes to nothing with every server; `forgiven` says
    otherwise) begins a pause, and each that follows a pause a longer one: 2 s, 4 s, 8 s …, spread, at most
    `longest_seconds`. A success ends it.
    """

    def __init__(
        self, *, longest_seconds: float, forgiven: int = 1, now: Callable[[], float] = monotonic
    ) -> None:
        self._longest_seconds = longest_seconds
        self._forgiven = forgiven
        self._now = now
        self._lock = Lock()
        self._failures = 0
        self._until = 0.0

    @property
    def is_on(self) -> bool:
        """Tell whether the server is to be left alone."""
        return self._now() < self._until

    def note_failure(self, *, patience: float = 1.0) -> float:
        """Note a failure, and return for how many seconds from now the server is left alone.

        `patience` makes the pause so many times longer, for a server that has asked for it.
        """
        with self._lock:
            now = self._now()
            # Those who were under way when the pause began tell nothing new with their failures.
            if now >= self._until:
                self._failures += 1
                if self._failures > self._forgiven:
                    pause = backoff_seconds(self._failures - self._forgiven, cap=self._longest_seconds)
                    self._until = now + min(pause * patience, self._longest_seconds)
            return max(0.0, self._until - now)

    def note_success(self) -> None:
        """Note that the server works."""
        with self._lock:
            self._failures, self._until = 0, 0.0

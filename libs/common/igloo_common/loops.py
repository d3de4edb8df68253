"""A worker's threads: each repeats one step, waits when there is nothing to do, and survives what passes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from igloo_common import event_metrics
from igloo_common.backoff import backoff_seconds
from igloo_common.messaging import BrokerUnavailable

_LOG = logging.getLogger(__name__)
_MAX_PAUSE_SECONDS = 5.0
GIVE_UP_SECONDS = 600.0


class Loop:
    """Repeats a step until it is told to stop.

    `step` does one unit of work and returns True if there may be more. A failing step is repeated after a
    growing pause: a broker may stay away for as long as it likes, anything else for ten minutes. Then the
    thread ends, and with it the process, so that the supervisor starts a fresh one.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        idle_seconds: float,
        wake: threading.Event | None = None,
        pause_seconds: float = 0.0,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self._step = step
        self._idle_seconds = idle_seconds
        self._wake = wake or threading.Event()
        self._pause_seconds = pause_seconds
        self._close = close
        self._failures = 0
        self._failing_since: float | None = None

    def run(self, stop: threading.Event) -> None:
        """Repeat the step until `stop` is set; `wake_up` ends a wait early."""
        try:
            while not stop.is_set():
                self._wake.clear()
                # An order to stop sets `stop` before it wakes: if that was cleared away, `stop` is set.
                if not stop.is_set():
                    self._once(stop)
        finally:
            if self._close is not None:
                self._close()

    def wake_up(self) -> None:
        """End the present wait, or skip the next one."""
        self._wake.set()

    def _once(self, stop: threading.Event) -> None:
        try:
            more = self._step()
        except Exception as error:
            pause = self._note_failure(error)
            if pause is None:
                raise
            stop.wait(pause)
            return
        self._failures, self._failing_since = 0, None
        if not more:
            self._wake.wait(self._idle_seconds)
            # Whoever was woken by one row finds those of a whole moment: a batch costs little more than one.
            stop.wait(self._pause_seconds)

    def _note_failure(self, error: Exception) -> float | None:
        """Return how long to wait before the next attempt, or None to give up."""
        event_metrics.LOOP_FAILURES.labels(self.name).inc()
        now = monotonic()
        self._failing_since = self._failing_since or now
        self._failures += 1
        lasting = isinstance(error, BrokerUnavailable)
        if not lasting and now - self._failing_since > GIVE_UP_SECONDS:
            return None
        pause = backoff_seconds(self._failures - 3, cap=_MAX_PAUSE_SECONDS)
        _LOG.warning(
            "A worker's step failed and is repeated",
            extra={"loop": self.name, "failures": self._failures, "pause_seconds": round(pause, 2)},
            exc_info=None if lasting else error,
        )
        return pause

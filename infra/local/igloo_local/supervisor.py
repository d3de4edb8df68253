"""Watches the processes of the stack and starts again what died, slower each time that it dies soon again."""

import threading
import time
from collections.abc import Callable, Sequence

from igloo_local.errors import StackError
from igloo_local.processes import ChildProcess

_CHECK_SECONDS = 0.2
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_STEADY_SECONDS = 30.0


class Supervisor:
    """One thread; it touches nothing but the processes that it was given, and only those that should run."""

    def __init__(
        self,
        processes: Sequence[ChildProcess],
        *,
        report: Callable[[str], None],
        restarted: Callable[[], None] = lambda: None,
    ) -> None:
        self._watched = [_Watched(process) for process in processes]
        self._report = report
        self._restarted = restarted
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; afterwards nothing is started any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(_CHECK_SECONDS):
            for watched in self._watched:
                self._look_after(watched)

    def _look_after(self, watched: "_Watched") -> None:
        process, now = watched.process, time.monotonic()
        if not process.wanted or process.running:
            watched.due_at = None
        elif watched.due_at is None:
            watched.due_at = now + watched.next_wait(now)
            wait = watched.due_at - now
            self._report(
                f"{process.name} ended with status {process.exit_code}; starting it again in {wait:.1f} s"
            )
        elif now >= watched.due_at:
            self._restart(watched)

    def _restart(self, watched: "_Watched") -> None:
        watched.due_at = None
        watched.started_at = time.monotonic()
        try:
            watched.process.start()
        except (StackError, OSError) as error:
            self._report(f"{watched.process.name} cannot be started: {error}")
            return
        self._report(f"{watched.process.name} runs again")
        self._restarted()


class _Watched:
    """A process and how patient to be with it."""

    def __init__(self, process: ChildProcess) -> None:
        self.process = process
        self.started_at = time.monotonic()
        self.due_at: float | None = None
        self._wait_seconds = 0.0

    def next_wait(self, now: float) -> float:
        """Double the wait after a short life, begin anew after a long one."""
        steady = now - self.started_at > _STEADY_SECONDS
        doubled = min(self._wait_seconds * 2, _LONGEST_WAIT_SECONDS)
        self._wait_seconds = _FIRST_WAIT_SECONDS if steady or not doubled else doubled
        return self._wait_seconds

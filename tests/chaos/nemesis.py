"""Breaks one part of the running stack at a time, in a seeded order, and times how long it takes to heal."""

import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One injected fault: what, when (seconds into the run), seconds until the stack answered again."""

    kind: str
    target: str
    at_seconds: float
    recovered_after_seconds: float | None


class Nemesis:
    """Kills or stops processes of the stack, always waiting for it to heal before the next."""

    def __init__(
        self,
        *,
        processes: Callable[[], dict[str, int]],
        stop_signals: Mapping[str, signal.Signals],
        healthy: Callable[[], bool],
        seed: int,
        recovery_bound_seconds: float = 60.0,
    ) -> None:
        """Take process ids and stop signals by name, and a probe that says when the stack works again."""
        self._processes = processes
        self._stop_signals = stop_signals
        self._healthy = healthy
        self._random = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
        self._recovery_bound_seconds = recovery_bound_seconds
        self._started = time.monotonic()
        self.faults: list[Fault] = []

    def strike(self, count: int, *, stop: threading.Event) -> None:
        """Inject so many faults; ends early when a fault does not heal within its bound."""
        for _ in range(count):
            if stop.is_set():
                return
            name = self._random.choice(sorted(self._processes()))
            kind = self._random.choice(("kill", "terminate"))
            fault = self._inject(kind, name)
            self.faults.append(fault)
            if fault.recovered_after_seconds is None:
                return
            stop.wait(self._random.uniform(0.5, 2.0))

    def _inject(self, kind: str, name: str) -> Fault:
        at = time.monotonic() - self._started
        pid = self._processes()[name]
        # SIGTERM asks PostgreSQL to wait for its clients, for ever: each part is asked in its own way.
        sent = signal.SIGKILL if kind == "kill" else self._stop_signals[name]
        try:
            psutil.Process(pid).send_signal(sent)
        except psutil.NoSuchProcess:
            kind = f"{kind}-missed"
        return Fault(kind=kind, target=name, at_seconds=at, recovered_after_seconds=self._heal(name, pid))

    def _heal(self, name: str, old_pid: int) -> float | None:
        """Wait until another process has the name and the stack answers; None when it never does."""
        started = time.monotonic()
        while (waited := time.monotonic() - started) < self._recovery_bound_seconds:
            if self._processes().get(name, old_pid) != old_pid and self._healthy():
                return waited
            time.sleep(0.05)
        return None

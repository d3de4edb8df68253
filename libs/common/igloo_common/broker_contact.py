"""What a worker's threads have last experienced with the broker: nobody connects to it only to ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any

from igloo_common.readiness import Check, Verdict


@dataclass(frozen=True)
class _Experience:
    reached: bool
    since: float


class BrokerContact:
    """Keeps each thread's last experience; the broker is away for as long as one of them cannot reach it.

    A thread that has no use for the broker (a relay that does not lead, or has had nothing to publish yet)
    tells nothing. Where none does, nothing is known, and nothing is wrong.
    """

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._experiences: dict[str, _Experience] = {}
        self._changing = Lock()

    def note(self, thread: str, *, reached: bool) -> None:
        """Note that a thread has just heard from the broker, or could not reach it."""
        with self._changing:
            before = self._experiences.get(thread)
            if before is None or before.reached is not reached:
                self._experiences[thread] = _Experience(reached, self._now())

    def forget(self, thread: str) -> None:
        """Let go of what a thread has experienced, as it has no more to do with the broker."""
        with self._changing:
            self._experiences.pop(thread, None)

    def check(self) -> Check:
        """Tell how it stands; a worker without its broker is degraded, and goes on with all else."""
        with self._changing:
            now, known = self._now(), [*self._experiences.values()]
        if not known:
            return _check(Verdict.READY, state="not needed yet")
        failing = [experience.since for experience in known if not experience.reached]
        if failing:
            return _check(Verdict.DEGRADED, state="away", since_seconds=round(now - min(failing), 3))
        since = min(experience.since for experience in known)
        return _check(Verdict.READY, state="connected", since_seconds=round(now - since, 3))


def _check(verdict: Verdict, **told: Any) -> Check:  # noqa: ANN401 -- what JSON can hold
    return Check(name="broker", verdict=verdict, told=told)

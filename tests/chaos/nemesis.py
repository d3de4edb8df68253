"""Breaks the town in a seeded order, and times how long it takes to heal."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from chaos.faults.fault import Fault, Maker
from chaos.plan import LONG_HOLD, SHORT_HOLD, Strike, strikes


class Sings(Protocol):
    """A canary."""

    def sings(self, *, within_seconds: float) -> bool:
        """Tell whether a post made now has reached its follower's feed in time."""


class Readiness(Protocol):
    """What the nemesis asks of a town."""

    def unready(self) -> str:
        """Say what is not ready; nothing when everything is."""


@dataclass(frozen=True, kw_only=True)
class Injected:
    """One injected fault; seconds count from the start of the run, recovery from the end of the hold."""

    kind: str
    target: str
    at_seconds: float
    held_seconds: float
    recovered_after_seconds: float | None
    """None: it has not healed within its bound."""
    detail: str = ""


class Nemesis:
    """Injects one fault, or now and then two at once, and waits for everything to work before the next."""

    def __init__(
        self,
        town: Readiness,
        *,
        seed: int,
        canary: Sings,
        makers: Sequence[Maker],
        short: bool = False,
        every_pair: int = 0,
    ) -> None:
        """Take one maker a kind (`faults_of(town)`).

        With `every_pair` of 3, every third strike is two faults of different kinds at once.
        """
        self._town = town
        self._makers = {maker.kind: maker for maker in makers}
        self._canary = canary
        self._hold = SHORT_HOLD if short else LONG_HOLD
        self._every_pair = every_pair
        self._plan = strikes([*self._makers], seed=seed)
        self._started = time.monotonic()
        self.injected: list[Injected] = []

    @property
    def kinds(self) -> list[str]:
        """Every kind that may be injected here."""
        return sorted(self._makers)

    def strike(self, count: int, stop: threading.Event) -> None:
        """Inject so many faults; ends early when one does not heal within its bound."""
        while len(self.injected) < count and not stop.is_set():
            together = 2 if self._every_pair and len(self.injected) % self._every_pair == 0 else 1
            done = self._inject([next(self._plan) for _ in range(together)], stop)
            self.injected += done
            if any(one.recovered_after_seconds is None for one in done):
                return

    def _inject(self, planned: Sequence[Strike], stop: threading.Event) -> Sequence[Injected]:
        faults = [self._makers[strike.kind](strike.random()) for strike in planned]
        at = time.monotonic()
        said = [[_said_of(fault.inject, "not injected")] for fault in faults]
        try:
            stop.wait(max(self._hold_seconds(*pair) for pair in zip(planned, faults, strict=True)))
        finally:
            held = time.monotonic() - at
            for fault, words in zip(faults, said, strict=True):
                words.append(_said_of(fault.heal, "not healed"))
        recovered, reason = self._recovery(faults)
        together = f"at once: {', '.join(fault.kind for fault in faults)}" if len(faults) > 1 else ""
        return [
            Injected(
                kind=fault.kind,
                target=fault.target,
                at_seconds=round(at - self._started, 3),
                held_seconds=round(held, 3),
                recovered_after_seconds=recovered,
                detail="; ".join(filter(None, [*words, together, reason])),
            )
            for fault, words in zip(faults, said, strict=True)
        ]

    def _hold_seconds(self, strike: Strike, fault: Fault) -> float:
        return strike.random().uniform(*(fault.hold_seconds or self._hold))

    def _recovery(self, faults: Sequence[Fault]) -> tuple[float | None, str]:
        """Wait until all is ready and the canary sings; returns the seconds, or why it never was."""
        started = time.monotonic()
        bound_seconds = max(fault.bound_seconds for fault in faults)
        reason = "it was never asked"
        for _ in _until(started + bound_seconds):
            lasting = (f"{fault.target} has not come back" for fault in faults if not fault.is_over())
            reason = next(lasting, "") or self._town.unready()
            if not reason:
                break
        else:
            return None, f"not ready within {bound_seconds:g} s: {reason}"
        left = started + bound_seconds - time.monotonic()
        if not self._canary.sings(within_seconds=max(left, 5.0)):
            return None, f"ready, but the canary's post had not arrived after {bound_seconds:g} s"
        return round(time.monotonic() - started, 3), ""


def _until(deadline: float, *, pause_seconds: float = 0.1) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(pause_seconds)


def _said_of(do: Callable[[], str], otherwise: str) -> str:
    """Return what an action says of itself, or why it could not be done; the run goes on either way."""
    try:
        return do()
    except Exception as error:  # noqa: BLE001 - written into the report, and healing is tried in any case
        return f"{otherwise}: {type(error).__name__}: {error}"

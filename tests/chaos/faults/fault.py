"""What every fault has: a kind, a target, how it begins and how it ends."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

RECOVERY_SECONDS = 60.0
SLOW_RECOVERY_SECONDS = 120.0
AT_ONCE = (0.0, 0.0)


class Fault(Protocol):
    """One fault, not injected yet; `hold_seconds` of None leaves it to the nemesis for how long it stays."""

    kind: str
    target: str
    hold_seconds: tuple[float, float] | None
    bound_seconds: float
    """Within how long after the healing everything has to work again."""

    def inject(self) -> str:
        """Break it; returns what is worth to be said of it, or nothing."""

    def heal(self) -> str:
        """Mend what does not mend itself; returns what is worth to be said of it, or nothing."""

    def is_over(self) -> bool:
        """Tell whether what was broken has come back: what dies may seem to live for a moment still."""


def nothing() -> str:
    """Do nothing: the stack heals by itself."""
    return ""


def always() -> bool:
    """Leave it to the town whether it is ready."""
    return True


@dataclass(kw_only=True)
class SimpleFault:
    """A fault of two functions."""

    kind: str
    target: str
    breaking: Callable[[], str]
    mending: Callable[[], str] = nothing
    over: Callable[[], bool] = always
    hold_seconds: tuple[float, float] | None = None
    bound_seconds: float = RECOVERY_SECONDS

    def inject(self) -> str:
        """Break it."""
        return self.breaking()

    def heal(self) -> str:
        """Mend it."""
        return self.mending()

    def is_over(self) -> bool:
        """Tell whether it has come back."""
        return self.over()


@dataclass(frozen=True)
class Maker:
    """Makes faults of one kind; whatever is left open is drawn from the source given."""

    kind: str
    make: Callable[[random.Random], Fault]

    def __call__(self, draw: random.Random) -> Fault:
        """Make one, with its target."""
        return self.make(draw)

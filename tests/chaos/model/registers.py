"""Which values a fact may have, given when each of its writes began and by when it had taken effect."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

EFFECT_BOUND_SECONDS = 60.0
"""A request without an answer may still take effect for so long after it was sent: the gateway's timeout."""


@dataclass(slots=True)
class Write(Generic[T]):
    """One request that sets a fact to a value, on its way from `start` on.

    It takes effect at one moment between `start` and `latest`, or never unless it was acknowledged. Each
    sending of a request that is sent again is a write of its own: the first may arrive after the second.
    """

    value: T
    start: float
    latest: float
    acknowledged: bool = False
    refused: bool = False

    @classmethod
    def begun(cls, value: T, *, at: float) -> Write[T]:
        """Note a write before it is sent, as one that may never be answered."""
        return cls(value=value, start=at, latest=at + EFFECT_BOUND_SECONDS)

    def acknowledge(self, *, at: float) -> None:
        """Note that it was answered with success: it has taken effect."""
        self.latest, self.acknowledged = at, True

    def refuse(self) -> None:
        """Note that it certainly has no effect."""
        self.refused = True


def possible_values(
    writes: Iterable[Write[T]], *, initial: T, since: float = math.inf, until: float = math.inf
) -> Collection[T]:
    """Return the values that the fact may have had at some moment from `since` to `until`; else at the end.

    A write's value may stand unless an acknowledged write, which had itself taken effect by `since`, began
    after it had certainly ended.
    """
    effective = [write for write in writes if not write.refused]
    settled = [write.start for write in effective if write.acknowledged and write.latest < since]
    last_settled = max(settled, default=-math.inf)
    values = {write.value for write in effective if write.start <= until and write.latest >= last_settled}
    return values if last_settled > -math.inf else values | {initial}


def is_certainly(value: T, writes: Iterable[Write[T]], *, initial: T) -> bool:
    """Tell whether the fact can have no other value at the end."""
    return set(possible_values(writes, initial=initial)) == {value}

"""Event types that the broker refuses at present."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Set

from igloo_common.backoff import backoff_seconds

_MAX_HOLD_SECONDS = 60.0


class HeldTypes:
    """Event types that a broker has just refused, each until its next attempt.

    A refusal is about a queue, that is about a type: no queue wants it, or one that does is full. Holding
    types instead of events keeps this small however many events wait.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[str, float] = {}
        self._refusals: Counter[str] = Counter()

    def active(self) -> list[str]:
        """Return the types that are not to be tried now."""
        now = self._monotonic()
        return [event_type for event_type, until in self._until.items() if until > now]

    def hold(self, event_type: str) -> float:
        """Hold a type back for longer at each refusal in a row; returns the seconds."""
        self._refusals[event_type] += 1
        seconds = backoff_seconds(self._refusals[event_type] - 1, cap=_MAX_HOLD_SECONDS)
        self._until[event_type] = self._monotonic() + seconds
        return seconds

    def release(self, event_types: Set[str]) -> None:
        """Forget the refusals of types that have been accepted."""
        for event_type in event_types & self._until.keys():
            del self._until[event_type], self._refusals[event_type]

"""A clock that a test moves by hand."""

from __future__ import annotations


class HandClock:
    """Shows `now`, in seconds, until the test changes it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Read the clock."""
        return self.now

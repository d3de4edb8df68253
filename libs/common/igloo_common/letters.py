"""Dead letters: messages that a queue gave up, as whoever looks after them sees them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fate(Enum):
    """What becomes of a dead letter that somebody has looked at."""

    KEPT = "kept"
    REDELIVERED = "redelivered"
    DROPPED = "dropped"


class LetterRefused(Exception):
    """The queue that a dead letter came from does not take it back: it is not there, or full."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that was given up, and why."""

    id: str
    """The event's id, as its publisher gave it; empty for what carries none."""
    type: str
    queue: str
    reason: str
    count: int
    size_bytes: int

"""When caches are to forget an address, and what is told to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# The gateway's decisions are half a minute old at most: later nobody is led to what was there before.
DECISION_LIFETIME = timedelta(seconds=30)
# A gateway that was reading a photo from S3 when it was withdrawn is done with it within a moment.
SETTLED_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Purge:
    """One path below the gateway that caches are to forget."""

    path: str
    due_at: datetime
    is_last: bool
    """Another of the same path comes later unless this is it: what costs money is done once, and last."""


def settled_after(now: datetime) -> datetime:
    """Return when nothing that was decided before now can enter a gateway's cache any more."""
    return now + SETTLED_AFTER


def replaced_at(now: datetime) -> datetime:
    """Return from when on nobody is led any more to what an address showed until now."""
    return now + DECISION_LIFETIME + SETTLED_AFTER

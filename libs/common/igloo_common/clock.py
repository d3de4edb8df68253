"""The one place where the time of day is read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic


@dataclass(frozen=True)
class _Reading:
    """What another clock showed, and at which moment of the monotonic one."""

    shown: datetime
    at_monotonic: float


class _Clock:
    """Which clock is believed: this machine's, unless another has been read."""

    reading: _Reading | None = None


def utc_now() -> datetime:
    """Read the clock, timezone-aware; entry points call this and pass the answer down as `now`."""
    reading = _Clock.reading
    if reading is None:
        return datetime.now(UTC)
    return reading.shown + timedelta(seconds=monotonic() - reading.at_monotonic)


def believe(shown: datetime, *, at_monotonic: float) -> None:
    """Go by another clock from now on, in this whole process, whatever this machine's does."""
    _Clock.reading = _Reading(shown.astimezone(UTC), at_monotonic)


def believe_this_machine() -> None:
    """Go by this machine's clock, as at the start."""
    _Clock.reading = None

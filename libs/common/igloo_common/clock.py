"""The one place where the time of day is read."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Read the clock, timezone-aware; entry points call this and pass the answer down as `now`."""
    return datetime.now(UTC)

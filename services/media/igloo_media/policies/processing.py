"""How often and how long a photo is tried."""

from datetime import timedelta

MAX_ATTEMPTS = 3
# Longer than download, the child's wall limit and three uploads together, each at its worst.
LEASE = timedelta(minutes=3)
# Photos that an owner had finished within this span count as the owner's turn.
FAIRNESS_WINDOW = timedelta(seconds=60)
OUTAGE_PAUSE = timedelta(seconds=5)


def retry_delay(attempts: int) -> timedelta:
    """Return the pause before the next attempt: 2 s, 4 s, 8 s …."""
    return timedelta(seconds=2**attempts)

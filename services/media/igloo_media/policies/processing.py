"""How often and how long a photo is tried, and in which turn."""

import random
from datetime import timedelta

MAX_ATTEMPTS = 3
# Longer than download, the child's wall limit and three uploads together, each at its worst.
LEASE = timedelta(minutes=3)
# A person has a turn each so many seconds: further photos line up that much later, behind whatever others
# bring meanwhile. It orders those who wait, and keeps nothing waiting while there is nobody else.
TURN = timedelta(seconds=10)
# Of a photo that ended its child: about what it has kept a lane from doing.
DEATH_COST = timedelta(seconds=30)
# A photo that S3 did not let through is tried again after half of the time that it has waited already.
SHORTEST_OUTAGE_PAUSE_SECONDS, LONGEST_OUTAGE_PAUSE_SECONDS = 1.0, 60.0
# A whole lane that S3 does not let work asks again after this at most.
LONGEST_LANE_PAUSE_SECONDS = 30.0


def retry_delay(attempts: int) -> timedelta:
    """Return the pause before the next attempt: 2 s, 4 s, 8 s …."""
    return timedelta(seconds=2**attempts)


def outage_pause(waited: timedelta) -> timedelta:
    """Return the pause of a photo that S3 did not let through: it grows with the time waited so far.

    So an outage costs no attempt and is not counted, and one object that S3 never gives out (its answer to
    the others is fine) does not take up a lane either.
    """
    longest = min(LONGEST_OUTAGE_PAUSE_SECONDS, waited.total_seconds() / 2)
    spread = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret
    return timedelta(seconds=max(SHORTEST_OUTAGE_PAUSE_SECONDS, longest * spread))

"""Has the caches before the service forget what they may no longer show."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_media.caches import Caches
from igloo_media.operations.purges import due_purges, forget_purges, oldest_purge

PURGES_AT_ONCE = 500
OLDEST: Final = Gauge(
    "igloo_media_oldest_purge_waiting_seconds", "Since when the purge has been due that is most overdue."
)


def purge_caches(caches: Caches) -> None:
    """Purge what is due; the note of it goes last, so that a crash repeats and never forgets.

    Raises:
        CacheUnavailable: a cache has not confirmed; everything due is told again next time.
    """
    now = utc_now()
    purged = PURGES_AT_ONCE
    while purged == PURGES_AT_ONCE:
        with reading() as reader:
            purges = due_purges(reader, now=now, limit=PURGES_AT_ONCE)
        purged = len(purges)
        if purges:
            caches.forget(purges)
            with transaction() as session:
                forget_purges(session, purges)


def measure_purges() -> None:
    """Measure how long the caches have not confirmed."""
    now = utc_now()
    with reading() as reader:
        oldest = oldest_purge(reader)
    OLDEST.set(0 if oldest is None else max(0.0, (now - oldest).total_seconds()))

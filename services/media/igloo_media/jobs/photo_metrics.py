"""What the worker tells of its photos: how many wait and for how long, what they end in and how fast."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_media.queries.backlog import count_waiting

MEASURED_EVERY_SECONDS: Final = 10.0

WAITING: Final = Gauge("igloo_media_photos_waiting", "Photos that have arrived and no worker has begun.")
OLDEST: Final = Gauge(
    "igloo_media_oldest_photo_waiting_seconds", "Since when the photo has waited that has waited longest."
)
IN_PROCESS: Final = Gauge("igloo_media_photos_in_process", "Photos that a worker has in hand.")
SECONDS: Final = Histogram(
    "igloo_media_photo_seconds",
    "From the claim of a photo to its end, transfers included.",
    buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0),
)
OUTCOMES: Final = Counter(
    "igloo_media_photos",
    "Turns of photos by how they ended: ready, given_back, closed, or the code of the failure.",
    ["outcome"],
)
CHILD_DEATHS: Final = Counter(
    "igloo_media_child_deaths", "Child processes that photos have ended, by code.", ["code"]
)


def measure_photos() -> bool:
    """Measure what waits; False, as the next look has time."""
    with reading() as reader:
        waiting = count_waiting(reader, now=utc_now())
    WAITING.set(waiting.photos)
    OLDEST.set(waiting.oldest_seconds)
    IN_PROCESS.set(waiting.in_process)
    return False

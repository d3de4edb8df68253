"""What may be uploaded, in which parts, and how long an upload may take."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_FILES = 10
MAX_FILE_BYTES = 25_000_000
CONTENT_TYPES = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/avif",
    "image/heic",
    "image/heif",
)
TARGET_LIFETIME = timedelta(hours=1)
# A phone completes within seconds of its POST: what is silent for longer has probably lost its client.
FORGOTTEN_AFTER = timedelta(minutes=2)
SWEEP_AGAIN_AFTER = timedelta(minutes=5)
# Of parts that S3 still knew afterwards, or did not answer about.
ABORT_AGAIN_AFTER = timedelta(minutes=5)
# S3 checks a policy's expiry when a POST begins; a slow phone may still be sending after it.
LATEST_ARRIVAL = timedelta(minutes=10)

# The least that S3 takes for a part, but for the last one: what a lost connection costs a phone.
PART_BYTES = 5_242_880
# A file up to this size is sent faster whole than in parts.
LARGEST_WHOLE_BYTES = 8_000_000


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What S3 has of a file: its size when it is there, and which of its parts are missing when it is not."""

    stored_bytes: int | None = None
    missing_parts: tuple[int, ...] = ()


def settled_at(expires_at: datetime) -> datetime:
    """Return the time after which nothing can arrive at an upload's target any more."""
    return expires_at + LATEST_ARRIVAL


def may_come_in_parts(size_bytes: int) -> bool:
    """Tell whether a file is large enough to be sent in parts."""
    return size_bytes > LARGEST_WHOLE_BYTES


def part_sizes(size_bytes: int) -> dict[int, int]:
    """Return the exact size of each part of a file, by its number from 1 on."""
    starts = range(0, size_bytes, PART_BYTES)
    return {number: min(PART_BYTES, size_bytes - start) for number, start in enumerate(starts, 1)}


def missing_parts(size_bytes: int, arrived: Mapping[int, int]) -> tuple[int, ...]:
    """Return which parts have not arrived in their exact size; `arrived` has the sizes by number."""
    wanted = part_sizes(size_bytes)
    return tuple(number for number, size in wanted.items() if arrived.get(number) != size)

"""Loaded by workers that run under libfaketime: a `time.sleep` that works there.

Python sleeps until a moment of the monotonic clock. libfaketime 0.9.10 takes that moment for one of a clock
that it fakes, though it is told to leave the monotonic one alone, and the kernel refuses what comes of it.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    wanted = seconds if isinstance(seconds, float) else float(seconds)
    if wanted < 0:
        raise ValueError("sleep length must be non-negative")
    select.select((), (), (), wanted)


time.sleep = _sleep

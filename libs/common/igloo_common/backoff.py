"""How long to wait before another attempt."""

from __future__ import annotations

import random


def backoff_seconds(failures: int, *, cap: float) -> float:
    """Return 2^failures seconds, at most `cap`, spread so that those who failed together part ways."""
    longest = min(cap, 2.0 ** min(failures, 30))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, keeps no secret

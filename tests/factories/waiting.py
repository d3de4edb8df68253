"""Bounded waiting for what becomes true soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    read: Callable[[], T],
    accepted: Callable[[T], bool] = bool,
    *,
    what: str,
    timeout_seconds: float = 15.0,
) -> T:
    """Read until the answer is accepted, and return it; fail by name when the time is over."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        seen = read()
        if accepted(seen):
            return seen
        assert time.monotonic() < deadline, f"{what}: not within {timeout_seconds:g} s; last: {seen!r:.300}"
        time.sleep(0.02)

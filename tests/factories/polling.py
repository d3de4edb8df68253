"""Waiting for what happens in another thread or process, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable

_EVERY_SECONDS = 0.02


def wait_until(happened: Callable[[], bool], what: str, *, seconds: float = 20.0) -> None:
    """Ask until it has happened; fail with `what` when it has not in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(f"Within {seconds:g} s it did not happen that {what}.")
        time.sleep(_EVERY_SECONDS)

"""Bounded waiting: for what becomes true soon, and for one transaction that waits for another."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import text

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlalchemy.orm import Session

T = TypeVar("T")
_SECONDS = 10.0
# Not from pg_stat_activity: a transaction goes on seeing there whom it saw first, and misses new connections.
_WAITERS = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)


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


def wait_for_a_waiter(session: Session, effort: Future[object] | Future[None]) -> None:
    """Return once another transaction waits for this session's, or the effort has ended without waiting."""
    deadline = time.monotonic() + _SECONDS
    while not effort.done() and not session.scalar(_WAITERS):
        if time.monotonic() > deadline:
            raise AssertionError(f"nobody waited for this transaction within {_SECONDS} seconds")
        time.sleep(0.01)

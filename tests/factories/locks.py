"""Making one transaction wait for another, so that a race runs the same way every time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from factories.waiting import eventually

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sqlalchemy.orm import Session

# Not pg_stat_activity: a transaction that has looked there once goes on seeing the backends of that moment.
_WAITERS = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)


def wait_for_a_waiter(session: Session, effort: Future[Any]) -> None:
    """Return once another transaction waits for this session's, or the effort has ended without waiting."""
    eventually(
        lambda: effort.done() or session.scalar(_WAITERS), what="a transaction that waits for this one"
    )

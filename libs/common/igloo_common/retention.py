"""Keeps the common tables bounded: what is done with goes after two weeks, parked messages sooner if many."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.denylist import prune_denied_sessions
from igloo_common.idempotency import prune_idempotency_keys
from igloo_common.inbox import MAX_PARKED
from igloo_common.rate_limits import prune_rate_limits

KEPT_FOR: Final = timedelta(days=14)
_CHUNK: Final = 5_000

# Rows that still wait are never touched, however old. event_sequences stays for good: a number given twice
# would make the later event look stale.
_PRUNE: Final = (
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE published_at < now() - %(kept_for)s LIMIT %(chunk)s
    )
    """,
    """
    DELETE FROM inbox WHERE event_id IN (
        SELECT event_id FROM inbox
        WHERE status IN ('applied', 'stale', 'ignored') AND received_at < now() - %(kept_for)s LIMIT %(chunk)s
    )
    """,
    """
    DELETE FROM parked_messages WHERE id IN (
        SELECT id FROM parked_messages
        WHERE received_at < now() - %(kept_for)s OR id <= (SELECT max(id) FROM parked_messages) - %(parked)s
        LIMIT %(chunk)s
    )
    """,
)


def prune_tables() -> None:
    """Delete what has served its time, in short transactions. Needs an app context."""
    for statement in _PRUNE:
        while _prune_chunk(statement) == _CHUNK:
            pass
    with transaction() as session:
        prune_idempotency_keys(session, now=utc_now())
        prune_denied_sessions(session, now=utc_now())
        prune_rate_limits(session, now=utc_now())


def _prune_chunk(statement: str) -> int:
    parameters = {"kept_for": KEPT_FOR, "chunk": _CHUNK, "parked": MAX_PARKED}
    with transaction() as session:
        return session.connection().exec_driver_sql(statement, parameters).rowcount

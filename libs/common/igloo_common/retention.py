"""Keeps the common tables bounded: what is done with goes in time, parked messages sooner if many."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.denylist import prune_denied_sessions
from igloo_common.idempotency import prune_idempotency_keys
from igloo_common.inbox import MAX_PARKED
from igloo_common.rate_limits import prune_rate_limits

OUTBOX_KEPT_FOR: Final = timedelta(days=14)
# An outbox can repeat what it still has, and an inbox knows a repeat by its row: so it remembers for longer,
# by a day in which the repeat may be on its way. What is made is received later, so the row is younger, too.
INBOX_KEPT_FOR: Final = OUTBOX_KEPT_FOR + timedelta(days=1)
_CHUNK: Final = 5_000

# Ids rise with time, so the outbox is read from its old end to the first young row, and no index on the time
# is needed. Rows that still wait are never touched, however old. event_sequences stays for good: a number
# given twice would make the later event look stale.
_PRUNE: Final = (
    """
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox
        WHERE published_at IS NOT NULL AND created_at < now() - %(outbox_kept_for)s AND id < coalesce((
            SELECT id FROM outbox WHERE created_at >= now() - %(outbox_kept_for)s ORDER BY id LIMIT 1
        ), 9223372036854775807) LIMIT %(chunk)s
    )
    """,
    """
    DELETE FROM inbox WHERE event_id IN (
        SELECT event_id FROM inbox
        WHERE status IN ('applied', 'stale', 'ignored') AND received_at < now() - %(inbox_kept_for)s
        LIMIT %(chunk)s
    )
    """,
    """
    DELETE FROM parked_messages WHERE id IN (
        SELECT id FROM parked_messages
        WHERE received_at < now() - %(outbox_kept_for)s
            OR id <= (SELECT max(id) FROM parked_messages) - %(parked)s
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
    parameters = {
        "outbox_kept_for": OUTBOX_KEPT_FOR,
        "inbox_kept_for": INBOX_KEPT_FOR,
        "chunk": _CHUNK,
        "parked": MAX_PARKED,
    }
    with transaction() as session:
        return session.connection().exec_driver_sql(statement, parameters).rowcount

"""Events that failed until they were given up: seen, tried again, or let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.due_events import wake_keys

_LIST = """
SELECT event_id, type, aggregate_key, sequence, attempts, received_at, last_error FROM inbox
WHERE status = 'dead' ORDER BY received_at LIMIT %(limit)s
"""
_SHOW = "SELECT * FROM inbox WHERE event_id = %(id)s"
_REPLAY = """
UPDATE inbox SET status = 'pending', attempts = 0, next_attempt_at = now()
WHERE status = 'dead' AND (%(id)s::uuid IS NULL OR event_id = %(id)s::uuid)
"""
_DISCARD = """
UPDATE inbox SET status = 'stale', applied_at = now() WHERE status = 'dead' AND event_id = %(id)s
RETURNING aggregate_key
"""


@dataclass(frozen=True, kw_only=True)
class DeadEvent:
    """An event that waits for a decision; later events of its key wait behind it."""

    event_id: UUID
    type: str
    aggregate_key: str
    sequence: int
    attempts: int
    received_at: datetime
    last_error: str | None


def list_dead(reader: Reader, *, limit: int = 100) -> Sequence[DeadEvent]:
    """Return the oldest dead events."""
    rows = _connection(reader).exec_driver_sql(_LIST, {"limit": limit}).mappings()
    return [DeadEvent(**row) for row in rows]


def find_event(reader: Reader, event_id: UUID) -> dict[str, object] | None:
    """Return everything that the inbox knows about an event, dead or not."""
    row = _connection(reader).exec_driver_sql(_SHOW, {"id": event_id}).mappings().first()
    return dict(row) if row is not None else None


def replay_dead(session: Session, event_id: UUID | None = None) -> int:
    """Make one dead event, or all of them, pending again with all its attempts; returns how many."""
    return session.connection().exec_driver_sql(_REPLAY, {"id": event_id}).rowcount


def discard_dead(session: Session, event_id: UUID) -> bool:
    """Give up a dead event for good, so that its key goes on without it."""
    keys = session.connection().exec_driver_sql(_DISCARD, {"id": event_id}).scalars().all()
    wake_keys(session, keys)
    return bool(keys)


def _connection(reader: Reader) -> Connection:
    return reader.connection() if isinstance(reader, Session) else reader

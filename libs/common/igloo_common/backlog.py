"""How far events are behind: what waits in the outbox and the inbox, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

_QUERY = """
SELECT
    (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS outbox_unpublished, (SELECT
    coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE published_at IS NULL)::float8
        AS outbox_oldest_seconds,
    count(*) FILTER (WHERE status = 'pending') AS inbox_pending,
    count(*) FILTER (WHERE status = 'dead') AS inbox_dead,
    coalesce(extract(epoch FROM now() - min(received_at) FILTER (WHERE status = 'pending')), 0)::float8
        AS inbox_oldest_seconds,
    (SELECT count(*) FROM parked_messages) AS parked_messages
FROM inbox WHERE status IN ('pending', 'dead')
"""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Rows that wait, and the age in seconds of the oldest of them (0 when none waits)."""

    outbox_unpublished: int
    outbox_oldest_seconds: float
    inbox_pending: int
    inbox_dead: int
    inbox_oldest_seconds: float
    parked_messages: int


def read_backlog(connection: Connection) -> Backlog:
    """Count what waits; reads partial indexes of waiting rows alone."""
    return Backlog(**connection.exec_driver_sql(_QUERY).mappings().one())

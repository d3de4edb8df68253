"""Waits until nothing is on its way any more: events, photos, waiting posts, objects to be removed."""

from __future__ import annotations

import contextlib
import time

import psycopg

from chaos.model.places import Places
from igloo_local.phone import wait_until

_EVERYWHERE = {
    "unpublished events": "SELECT count(*) FROM {schema}.outbox WHERE published_at IS NULL",
    "unapplied events": "SELECT count(*) FROM {schema}.inbox WHERE status = 'pending'",
}
_WAITING = {
    "photos in work": "SELECT count(*) FROM media.media_items WHERE state IN ('uploaded', 'processing')",
    "posts that wait": "SELECT count(*) FROM social.posts WHERE state = 'processing' AND deleted_at IS NULL",
    "objects to remove": "SELECT count(*) FROM media.object_removals WHERE due_at <= now()",
    "events on their way": """
        SELECT count(*) FROM (
            SELECT event_id, type FROM auth.outbox UNION ALL SELECT event_id, type FROM social.outbox
            UNION ALL SELECT event_id, type FROM media.outbox
        ) AS said
        WHERE event_id NOT IN (
            SELECT event_id FROM auth.inbox UNION ALL SELECT event_id FROM social.inbox
            UNION ALL SELECT event_id FROM media.inbox
        )
    """,
}
SCHEMAS = ("auth", "social", "media")


def waiting(places: Places) -> dict[str, int]:
    """Count what is on its way now, by kind."""
    counts: dict[str, int] = {}
    with places.connect() as connection:
        for what, statement in _WAITING.items():
            counts[what] = _count(connection, statement)
        for what, statement in _EVERYWHERE.items():
            counts[what] = sum(_count(connection, statement.format(schema=schema)) for schema in SCHEMAS)
    return counts


def drain(places: Places, *, bound_seconds: float) -> tuple[dict[str, int], float]:
    """Wait until nothing is on its way; return what is left after the bound, and the seconds waited."""
    started = time.monotonic()

    def look() -> dict[str, int]:
        try:
            return waiting(places)
        except psycopg.OperationalError:
            return {"databases that do not answer": 1}

    with contextlib.suppress(TimeoutError):
        wait_until(
            look,
            lambda counts: not any(counts.values()),
            what="everything has arrived",
            timeout_seconds=bound_seconds,
            pause_seconds=0.25,
        )
    return {what: count for what, count in look().items() if count}, time.monotonic() - started


def _count(connection: psycopg.Connection[object], statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    return int(str(row[0])) if isinstance(row, tuple) else 0

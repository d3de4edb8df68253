"""What an operation has published, read where the relay will find it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class Published:
    """An event on its way out."""

    type: str
    aggregate_key: str
    data: dict[str, Any]


def published(session: Session, event_type: str | None = None) -> list[Published]:
    """Return the committed events, of one type or all, the oldest first."""
    session.rollback()
    rows = session.execute(text("SELECT type, aggregate_key, payload FROM outbox ORDER BY id")).all()
    events = [
        Published(type=row.type, aggregate_key=row.aggregate_key, data=orjson.loads(row.payload))
        for row in rows
    ]
    return [event for event in events if event_type in (None, event.type)]

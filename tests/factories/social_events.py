"""The events that the social service has written to its outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def emitted(session: Session, event_type: str) -> list[dict[str, Any]]:
    """Return the data of all committed events of a type, in the order of their making."""
    session.rollback()
    rows = session.execute(
        text("SELECT payload FROM outbox WHERE type = :type ORDER BY id"), {"type": event_type}
    )
    return [orjson.loads(row.payload) for row in rows]


def relation_changes(session: Session) -> list[tuple[str, str, str, str]]:
    """Return all changes of relations as (from, kind, to, change)."""
    return [
        (event["from_user_id"], event["relation_type"], event["to_user_id"], event["change"])
        for event in emitted(session, "social.relation.changed.v1")
    ]

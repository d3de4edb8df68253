"""Messages that could not be read when they came: seen, read again after a fix, or dropped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.inbox import MAX_PARKED_BYTES, store_messages
from igloo_common.messaging import Incoming
from igloo_common.statements import Statement

_LIST = Statement("""
SELECT id, routing_key, reason, length(body), received_at FROM parked_messages ORDER BY id LIMIT %(limit)s
""")
_BODY = Statement("""
SELECT body, routing_key, reason, received_at FROM parked_messages WHERE id = %(id)s FOR UPDATE
""")
_DROP = Statement("DELETE FROM parked_messages WHERE id = %(id)s")


class NotParked(Exception):
    """There is no parked message with this id."""


class StillUnreadable(Exception):
    """A parked message is as unreadable as it was."""


@dataclass(frozen=True, kw_only=True)
class ParkedMessage:
    """A message that waits for somebody to look at it."""

    id: int
    type: str
    reason: str
    size_bytes: int
    received_at: datetime


def list_parked(reader: Reader, *, limit: int = 100) -> Sequence[ParkedMessage]:
    """Return the parked messages, the oldest first."""
    names = ("id", "type", "reason", "size_bytes", "received_at")
    return [
        ParkedMessage(**dict(zip(names, row, strict=True))) for row in _LIST.rows(reader, {"limit": limit})
    ]


def find_parked(session: Session, parked_id: int) -> dict[str, object]:
    """Return a parked message with its body.

    Raises:
        NotParked: There is none.
    """
    row = _BODY.row(session, {"id": parked_id})
    if row is None:
        raise NotParked(f"There is no parked message {parked_id}.")
    return dict(zip(("body", "type", "reason", "received_at"), row, strict=True), id=parked_id)


def unpark(session: Session, parked_id: int, *, handled_types: Collection[str]) -> None:
    """Read a parked message again, and put it into the inbox; known there, it has no second effect.

    Raises:
        NotParked: There is none.
        StillUnreadable: It stays where it is.
    """
    found = find_parked(session, parked_id)
    body = bytes(found["body"])  # type: ignore[call-overload] # a column of bytes
    if len(body) >= MAX_PARKED_BYTES:
        raise StillUnreadable("It was cut when it was parked: have its publisher publish it again.")
    message = Incoming(
        body=body, routing_key=str(found["type"] or ""), content_type="application/json", tag=0
    )
    if not store_messages(session.connection(), [message], handled_types=handled_types):
        raise StillUnreadable(f"It still cannot be read: {found['reason']}.")
    _DROP.run(session, {"id": parked_id})


def drop_parked(session: Session, parked_id: int) -> None:
    """Delete a parked message for good.

    Raises:
        NotParked: There is none.
    """
    if not _DROP.count(session, {"id": parked_id}):
        raise NotParked(f"There is no parked message {parked_id}.")

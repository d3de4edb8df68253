"""How far the events of each aggregate had come, forgotten when their publisher begins to count anew.

A publisher whose database alone was brought back to an earlier time gives numbers that it had given already.
To the inboxes of the others, which know later ones, what it publishes now would be old news, and dropped.
Its own numbers cannot be moved ahead: it does not know of which aggregates it has forgotten everything.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.statements import Statement

CHUNK = 5_000

# Nothing else than the order goes: an event that comes again is known by its id as before.
_THEIRS = "starts_with(type, %(prefix)s::text)"
_WAITING = Statement(f"SELECT count(*) FROM inbox WHERE status = 'pending' AND {_THEIRS}")  # noqa: S608 - words of our own
_FORGET = Statement(f"""
WITH chunk AS (
    SELECT event_id FROM inbox WHERE event_id > %(after)s::uuid AND status = 'applied' AND {_THEIRS}
    ORDER BY event_id LIMIT %(chunk)s FOR UPDATE
), forgotten AS (
    UPDATE inbox SET sequence = 0 WHERE event_id = ANY(ARRAY(SELECT event_id FROM chunk)) RETURNING event_id
)
SELECT count(*), (array_agg(event_id ORDER BY event_id DESC))[1] FROM forgotten
""")  # noqa: S608 - words of our own


class EventsWaiting(Exception):
    """Events of the publisher are still to be applied, in the order that would be forgotten."""

    def __init__(self, count: int) -> None:
        super().__init__(f"Some of its events are not applied yet ({count}): wait until they are.")


def check_applied(reader: Reader, *, publisher: str) -> None:
    """Make sure that nothing of a service waits to be applied; what is dead waits for somebody, and may.

    Raises:
        EventsWaiting: something does.
    """
    if count := int(_WAITING.rows(reader, {"prefix": f"{publisher}."})[0][0]):
        raise EventsWaiting(count)


def forget_chunk(session: Session, *, publisher: str, after: str) -> tuple[int, str | None]:
    """Forget the order of up to CHUNK applied events of a service.

    Returns how many, and the id to go on `after`, None when there are no more.
    """
    wanted = {"prefix": f"{publisher}.", "after": after, "chunk": CHUNK}
    (count, last), *_ = _FORGET.rows(session, wanted)
    return count, None if last is None else str(last)

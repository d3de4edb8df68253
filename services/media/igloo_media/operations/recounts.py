"""Counting anew what people have stored, beside live traffic: the stored counts are to agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.statements import Statement

FIRST: Final = UUID(int=0)
"""The place before every person."""


def next_owners(reader: Reader, *, after: UUID, limit: int) -> list[UUID]:
    """List the people that come next, with photos or counted for some; fewer than the limit at the end."""
    return [owner_id for (owner_id,) in _NEXT.rows(reader, {"after": after, "limit": limit})]


def wrongly_counted(reader: Reader, owner_ids: Sequence[UUID]) -> list[UUID]:
    """List whose counts are wrong; both sides change in one transaction, so that none under way looks so."""
    return [owner_id for (owner_id,) in _WRONG.rows(reader, {"ids": list(owner_ids)})]


def recount(session: Session, owner_id: UUID) -> bool:
    """Count one person's photos anew, under the lock of whoever changes the count; True if it was wrong."""
    _ENSURE.run(session, {"id": owner_id})
    # The next statement sees all that was counted by those who held the lock before.
    _LOCK.rows(session, {"id": owner_id})
    return _RECOUNT.count(session, {"id": owner_id}) > 0


_COUNTED: Final = """
    SELECT count(DISTINCT item.id) AS photos, coalesce(sum(rendition.size_bytes), 0) AS stored_bytes
    FROM media_items AS item LEFT JOIN renditions AS rendition ON rendition.media_id = item.id
    WHERE item.state = 'ready' AND item.owner_id =
"""
_NEXT = Statement("""
(SELECT owner_id FROM owner_usage WHERE owner_id > %(after)s ORDER BY owner_id LIMIT %(limit)s)
UNION
(SELECT DISTINCT owner_id FROM media_items WHERE owner_id > %(after)s ORDER BY owner_id LIMIT %(limit)s)
ORDER BY owner_id LIMIT %(limit)s
""")
_WRONG = Statement(f"""
SELECT person.id FROM unnest(%(ids)s::uuid[]) AS person (id)
LEFT JOIN owner_usage ON owner_usage.owner_id = person.id,
LATERAL ({_COUNTED} person.id) AS counted
WHERE (coalesce(owner_usage.photos, 0), coalesce(owner_usage.stored_bytes, 0))
    <> (counted.photos, counted.stored_bytes)
""")  # noqa: S608 - words of our own
_ENSURE = Statement("INSERT INTO owner_usage (owner_id) VALUES (%(id)s) ON CONFLICT DO NOTHING")
_LOCK = Statement("SELECT FROM owner_usage WHERE owner_id = %(id)s FOR UPDATE")
_RECOUNT = Statement(f"""
UPDATE owner_usage SET photos = counted.photos, stored_bytes = counted.stored_bytes
FROM ({_COUNTED} %(id)s) AS counted
WHERE owner_id = %(id)s
AND (owner_usage.photos, owner_usage.stored_bytes) <> (counted.photos, counted.stored_bytes)
""")  # noqa: S608 - words of our own

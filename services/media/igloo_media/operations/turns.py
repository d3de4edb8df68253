"""Who comes next: a person's photos line up at so many seconds each, so that nobody's many hold up one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.statements import Statement
from igloo_media.policies.processing import DEATH_COST


def charge_owner(session: Session, *, owner_id: UUID, now: datetime) -> None:
    """Put all that a person has waiting back by the time that one of these photos has cost everybody else."""
    _CHARGE.run(session, {"owner_id": owner_id, "now": now, "cost": DEATH_COST})


# Rows that somebody holds at this moment are passed over: who waits for nothing can be part of no deadlock.
_CHARGE = Statement("""
UPDATE media_items AS item SET turn_at = greatest(item.turn_at, %(now)s) + %(cost)s
FROM (
    SELECT id FROM media_items WHERE owner_id = %(owner_id)s AND state = 'uploaded'
    ORDER BY id FOR UPDATE SKIP LOCKED
) AS waiting
WHERE item.id = waiting.id
""")

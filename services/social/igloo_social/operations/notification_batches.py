"""Removes news in batches: of and about people who go, and what is too old to be news."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.operations.notification_groups import Removal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

KEPT_FOR: Final = timedelta(days=90)
"""As long as people are shown what they were told."""


def withdraw_told_to(session: Session, person_id: UUID, *, limit: int) -> int:
    """Remove some of what a person was told; return how much, fewer than the limit when nothing is left."""
    return _remove(session, TOLD_TO, {"person_id": person_id, "limit": limit})


def withdraw_told_of(session: Session, person_id: UUID, *, limit: int) -> int:
    """Take back some of what others were told that a person did; return how much, likewise."""
    return _remove(session, TOLD_OF, {"person_id": person_id, "limit": limit})


def prune_notifications(session: Session, *, now: datetime, limit: int) -> int:
    """Remove some of what was told longer ago than KEPT_FOR, the oldest first; return how much, likewise."""
    before = int((now - KEPT_FOR).timestamp() * 1000)
    oldest_kept = UUID(int=before << 80)
    return _remove(session, OLD, {"oldest_kept": oldest_kept, "limit": limit})


def _remove(session: Session, find: Statement, parameters: Mapping[str, object]) -> int:
    found = [fact_id for (fact_id,) in find.rows(session, parameters)]
    return BY_IDS.count(session, {"ids": found}) if found else 0


BY_IDS: Final = Removal("id = ANY(%(ids)s::uuid[])")
TOLD_TO: Final = Statement("SELECT id FROM notifications WHERE recipient_id = %(person_id)s LIMIT %(limit)s")
TOLD_OF: Final = Statement("SELECT id FROM notifications WHERE actor_id = %(person_id)s LIMIT %(limit)s")
# Ids begin with the millisecond in which they were made (RFC 9562, section 5.7), as facts are told at once.
OLD: Final = Statement("""
SELECT id FROM notifications WHERE id < %(oldest_kept)s ORDER BY id LIMIT %(limit)s
""")

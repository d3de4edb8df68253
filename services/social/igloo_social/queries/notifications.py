"""Reads of what a person has been told, and how much of it is new."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select

from igloo_social.models.notifications import NOTIFICATIONS, READ_MARKERS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.posts import Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import VIEWER, person_is_shown

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Row, Select

    from igloo_common.database import Reader

UNREAD_COUNTED_AT_MOST = 1_000
"""Counting stops here: no badge shows more, and a neglected account must not cost more."""


def notifications_of(reader: Reader, *, recipient_id: UUID, scan: Scan) -> Page[Row[Any]]:
    """Read what a person has been told, the last first; `user_id` is NULL where nobody did it."""
    statement = _notifications(newer=scan.newer, bounded=scan.at is not None)
    rows = reader.execute(statement, {**scan.parameters(), "viewer_id": recipient_id}).all()
    return page_of(rows, scan)


def unread_count_of(reader: Reader, *, recipient_id: UUID) -> int:
    """Count what a person has been told since the read marker, up to UNREAD_COUNTED_AT_MOST."""
    count: int = reader.execute(_UNREAD, {"viewer_id": recipient_id}).scalar_one()
    return count


_READ_UNTIL: ColumnElement[Any] = (
    select(READ_MARKERS.c.read_until).where(READ_MARKERS.c.recipient_id == VIEWER).scalar_subquery()
)
_IS_READ = NOTIFICATIONS.c.created_at <= func.coalesce(
    _READ_UNTIL, literal_column("'-infinity'::timestamptz")
)
_WITH_ACTOR = NOTIFICATIONS.outerjoin(PROFILES, PROFILES.c.user_id == NOTIFICATIONS.c.actor_id)
_CONCERNS_VIEWER = and_(
    NOTIFICATIONS.c.recipient_id == VIEWER,
    or_(
        NOTIFICATIONS.c.actor_id.is_(None),
        and_(person_is_shown(NOTIFICATIONS.c.actor_id), is_here()),
    ),
)
_UNREAD = select(func.count()).select_from(
    select(literal_column("1"))
    .select_from(_WITH_ACTOR)
    .where(_CONCERNS_VIEWER, ~_IS_READ)
    .limit(literal_column(str(UNREAD_COUNTED_AT_MOST)))
    .subquery("unread")
)


@cache
def _notifications(*, newer: bool, bounded: bool) -> Select[Any]:
    told = (
        select(
            NOTIFICATIONS.c.id,
            NOTIFICATIONS.c.kind,
            NOTIFICATIONS.c.object_id,
            NOTIFICATIONS.c.created_at,
            _IS_READ.label("is_read"),
            *PERSON_COLUMNS,
        )
        .select_from(_WITH_ACTOR)
        .where(_CONCERNS_VIEWER)
    )
    return keyset(told, NOTIFICATIONS.c.created_at, NOTIFICATIONS.c.id, newer=newer, bounded=bounded)

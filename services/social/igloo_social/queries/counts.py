"""Finds people whose stored counts disagree with the edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, FromClause, Select, func, literal_column, or_, select

from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS, RelationType

if TYPE_CHECKING:
    from uuid import UUID

    from igloo_common.database import Reader


def miscounted_people(reader: Reader, *, limit: int) -> list[UUID]:
    """List people whose counts of followers or followees seem wrong, by one walk over all edges.

    The deleted are left out: their edges go batch by batch. Without locks a change under way may look like an
    error: count again under the lock before believing it.
    """
    followers = _follows_by(RELATIONS.c.to_user).subquery()
    followees = _follows_by(RELATIONS.c.from_user).subquery()
    statement = (
        select(PROFILES.c.user_id)
        .outerjoin(followers, followers.c.user_id == PROFILES.c.user_id)
        .outerjoin(followees, followees.c.user_id == PROFILES.c.user_id)
        .where(
            PROFILES.c.deleted_at.is_(None),
            or_(
                PROFILES.c.follower_count != _or_none(followers),
                PROFILES.c.following_count != _or_none(followees),
            ),
        )
        .order_by(PROFILES.c.user_id)
        .limit(limit)
    )
    return list(reader.execute(statement).scalars())


def _follows_by(near: ColumnElement[UUID]) -> Select[tuple[UUID, int]]:
    return (
        select(near.label("user_id"), func.count().label("count"))
        .where(RELATIONS.c.relation_type == RelationType.FOLLOW.value)
        .group_by(near)
    )


def _or_none(counted: FromClause) -> ColumnElement[int]:
    return func.coalesce(counted.c["count"], literal_column("0"))

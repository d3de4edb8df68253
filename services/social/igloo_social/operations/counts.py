"""The stored counts of followers and followees: kept right under locks, put right by reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, update

from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS, RelationType

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


RECOUNT_BELOW = 200
"""Counts below this are counted anew at every change; 100,000 edges would take 10 ms for one follow."""


def count_follow(session: Session, *, follower_id: UUID, followee_id: UUID, change: int) -> None:
    """Bring both people's counts up to date after a follow came (1) or went (-1).

    Needs the pair's lock: under it no other follow of either can come between, so adding is exact as well.
    """
    session.execute(_COUNT_FOLLOW, {"follower_id": follower_id, "followee_id": followee_id, "change": change})


def recount_people(session: Session, user_ids: list[UUID]) -> list[UUID]:
    """Count these people's followers and followees anew; return those whose stored counts were wrong.

    Needs their locks.
    """
    statement = (
        update(PROFILES)
        .where(
            PROFILES.c.user_id.in_(user_ids),
            or_(PROFILES.c.follower_count != _FOLLOWERS, PROFILES.c.following_count != _FOLLOWING),
        )
        .values(follower_count=_FOLLOWERS, following_count=_FOLLOWING)
        .returning(PROFILES.c.user_id)
    )
    return list(session.scalars(statement))


def _follows(near: ColumnElement[UUID]) -> ColumnElement[int]:
    return (
        select(func.count())
        .where(near == PROFILES.c.user_id, RELATIONS.c.relation_type == RelationType.FOLLOW.value)
        .correlate(PROFILES)
        .scalar_subquery()
    )


_FOLLOWERS = _follows(RELATIONS.c.to_user)
_FOLLOWING = _follows(RELATIONS.c.from_user)


def _changed(person: str, count: ColumnElement[int], counted: ColumnElement[int]) -> ColumnElement[Any]:
    return case(
        (PROFILES.c.user_id != bindparam(person), count),
        (count < RECOUNT_BELOW, counted),
        else_=count + bindparam("change"),
    )


_COUNT_FOLLOW = (
    update(PROFILES)
    .where(PROFILES.c.user_id.in_([bindparam("follower_id"), bindparam("followee_id")]))
    .values(
        follower_count=_changed("followee_id", PROFILES.c.follower_count, _FOLLOWERS),
        following_count=_changed("follower_id", PROFILES.c.following_count, _FOLLOWING),
    )
)

"""The stored counts of followers and followees: kept right under locks, put right by reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import ColumnElement, func, or_, select, update

from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS, RelationType

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session


RECOUNT_BELOW: Final = 200
"""Counts below this are counted anew at every change; 100,000 edges would take 10 ms for one follow."""


def counting(edge: str, change: Literal[1, -1]) -> str:
    """Write the update of both people's counts for a statement that changes a follow of `near` to `far`.

    `edge` names what has a row if the statement changed one. The update sees the edges as they were before
    the statement, whence the change. Needs both people's locks: under them no other follow of either comes
    between, so adding is exact as well.
    """
    return f"""
    UPDATE profiles SET
        follower_count = CASE
            WHEN user_id <> %(far)s THEN follower_count
            WHEN follower_count >= {RECOUNT_BELOW} THEN follower_count + {change}
            ELSE {change} + (SELECT count(*) FROM relations WHERE to_user = user_id AND relation_type = 'f')
        END,
        following_count = CASE
            WHEN user_id <> %(near)s THEN following_count
            WHEN following_count >= {RECOUNT_BELOW} THEN following_count + {change}
            ELSE {change} + (SELECT count(*) FROM relations WHERE from_user = user_id AND relation_type = 'f')
        END
    WHERE user_id IN (%(near)s, %(far)s) AND EXISTS (SELECT FROM {edge})
    """  # noqa: S608 - words of our own


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

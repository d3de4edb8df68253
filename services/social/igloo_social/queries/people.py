"""Pages of people by the edges that lead to them: followers, followees, who asks, is blocked or muted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import DateTime, Integer, Row, Select, Uuid, bindparam, exists, literal_column, select, tuple_

from igloo_common.errors import Forbidden
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, RelationType, is_in_force
from igloo_social.policies.relations import may_see_followers
from igloo_social.queries.profiles import PERSON_COLUMNS, ProfileView
from igloo_social.queries.visibility import VIEWER, person_is_shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from igloo_common.database import Reader
    from igloo_common.pagination import Cursor


class AccountIsPrivate(Forbidden):
    """Whom a private account follows, and who follows it, is for its followers to see."""

    def __init__(self) -> None:
        super().__init__("This account is private: only its followers can see this.")


class PeopleList(Enum):
    """A list of people around one person: the end of the edge where that person is, and the edge's kind."""

    FOLLOWERS = ("to_user", RelationType.FOLLOW)
    FOLLOWEES = ("from_user", RelationType.FOLLOW)
    REQUESTERS = ("to_user", RelationType.REQUEST)
    BLOCKED = ("from_user", RelationType.BLOCK)
    MUTED = ("from_user", RelationType.MUTE)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeoplePage:
    """People newest edge first; `more` tells whether there are others in the direction that was read."""

    rows: Sequence[Row[Any]]
    more: bool


def require_follows_visible(view: ProfileView, *, viewer_id: UUID | None) -> None:
    """Let pass who may page through a person's followers and followees.

    Raises:
        AccountIsPrivate: The viewer may not.
    """
    profile = view.profile
    is_self = profile.user_id == viewer_id
    if not may_see_followers(view.relationship, is_private=profile.is_private, is_self=is_self):
        raise AccountIsPrivate


def people_around(
    reader: Reader,
    *,
    people: PeopleList,
    user_id: UUID,
    viewer_id: UUID | None,
    asked: Cursor | None,
    limit: int,
) -> PeoplePage:
    """Read a page of the people around `user_id` who exist for the viewer."""
    direction = asked.direction if asked else None
    parameters: dict[str, object] = {"user_id": user_id, "viewer_id": viewer_id, "limit": limit + 1}
    if asked is not None:
        parameters |= {"at": asked.at, "id": asked.id}
    rows = reader.execute(_statement(people, direction), parameters).all()
    page = rows[:limit]
    return PeoplePage(rows=page[::-1] if direction == "newer" else page, more=len(rows) > limit)


@cache
def _statement(people: PeopleList, direction: Literal["older", "newer"] | None) -> Select[Any]:
    near_name, kind = people.value
    near = RELATIONS.c[near_name]
    far = RELATIONS.c.from_user if near is RELATIONS.c.to_user else RELATIONS.c.to_user
    position = tuple_(RELATIONS.c.created_at, far)
    place = tuple_(bindparam("at", type_=DateTime(timezone=True)), bindparam("id", type_=Uuid()))
    statement = (
        select(*PERSON_COLUMNS, RELATIONS.c.created_at, RELATIONS.c.expires_at)
        .join_from(RELATIONS, PROFILES, PROFILES.c.user_id == far)
        .where(
            near == bindparam("user_id", type_=Uuid()),
            RELATIONS.c.relation_type == literal_column(f"'{kind}'"),
            is_here(),
            _is_shown(people, far),
        )
        .limit(bindparam("limit", type_=Integer()))
    )
    if kind is RelationType.MUTE:
        statement = statement.where(is_in_force())
    if direction == "newer":
        return statement.where(position > place).order_by(RELATIONS.c.created_at, far)
    if direction == "older":
        statement = statement.where(position < place)
    return statement.order_by(RELATIONS.c.created_at.desc(), far.desc())


def _is_shown(people: PeopleList, far: ColumnElement[UUID]) -> ColumnElement[bool]:
    if people not in (PeopleList.BLOCKED, PeopleList.MUTED):
        return person_is_shown(far)
    # One's own blocks and mutes are hidden from oneself by no block but the other's.
    back = RELATIONS.alias()
    return ~exists().where(
        back.c.from_user == far,
        back.c.to_user == VIEWER,
        back.c.relation_type == literal_column(f"'{RelationType.BLOCK}'"),
    )

"""Reads of those around a person whom the viewer follows too: "followed by people you follow"."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, Select, Uuid, bindparam, func, literal_column, select

from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, RelationType
from igloo_social.queries.people import PeopleList
from igloo_social.queries.posts import Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import VIEWER, person_is_shown, probe

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from igloo_common.database import Reader

COUNTED_UP_TO: Final = 1_000

_MINE = RELATIONS.alias("mine")
_THEIRS = RELATIONS.alias("theirs")
# Not a plain column: PostgreSQL would take the list of all followers for as good as the primary key, and read
# a celebrity's whole list for each look.
_IS_FOLLOW = _THEIRS.c.relation_type.concat(literal_column("''")) == literal_column(
    f"'{RelationType.FOLLOW}'"
)
_USER: ColumnElement[UUID] = bindparam("user_id", type_=Uuid())
_FOLLOW: ColumnElement[str] = literal_column(f"'{RelationType.FOLLOW}'")


def familiar_people(
    reader: Reader, *, people: PeopleList, user_id: UUID, viewer_id: UUID, scan: Scan
) -> Page[Row[Any]]:
    """Read a page of a person's followers, or followees, whom the viewer follows, the last followed first.

    It walks along the viewer's own followees, who are thousands at most, and looks each up at the person:
    what a million other followers of a celebrity are, costs nothing.
    """
    statement = familiar_statement(people, newer=scan.newer, bounded=scan.at is not None)
    parameters = {**scan.parameters(), "user_id": user_id, "viewer_id": viewer_id}
    return page_of(reader.execute(statement, parameters).all(), scan)


def count_familiar_people(reader: Reader, *, people: PeopleList, user_id: UUID, viewer_id: UUID) -> int:
    """Count whom `familiar_people` would list page by page, and stop at COUNTED_UP_TO."""
    parameters = {"user_id": user_id, "viewer_id": viewer_id}
    count: int = reader.execute(familiar_count_statement(people), parameters).scalar_one()
    return count


@cache
def familiar_statement(people: PeopleList, *, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page."""
    statement = (
        select(*PERSON_COLUMNS, _MINE.c.created_at)
        .join_from(_MINE, PROFILES, PROFILES.c.user_id == _MINE.c.to_user)
        .where(*_is_familiar(people), is_here())
    )
    return keyset(statement, _MINE.c.created_at, _MINE.c.to_user, newer=newer, bounded=bounded)


@cache
def familiar_count_statement(people: PeopleList) -> Select[Any]:
    """Write the statement of the count."""
    one: ColumnElement[int] = literal_column("1").label("one")
    # A probe for the person, and no join, which is planned by reading all people while they are thousands.
    person_is_here = probe(PROFILES, PROFILES.c.user_id == _MINE.c.to_user, is_here())
    familiar = select(one).where(*_is_familiar(people), person_is_here)
    counted = familiar.limit(literal_column(str(COUNTED_UP_TO)))
    return select(func.count()).select_from(counted.subquery("counted"))


def _is_familiar(people: PeopleList) -> tuple[ColumnElement[bool], ...]:
    near, far = _THEIRS.c.to_user, _THEIRS.c.from_user
    if people is PeopleList.FOLLOWEES:
        near, far = far, near
    return (
        _MINE.c.from_user == VIEWER,
        _MINE.c.relation_type == _FOLLOW,
        probe(_THEIRS, near == _USER, far == _MINE.c.to_user, _IS_FOLLOW),
        person_is_shown(_MINE.c.to_user),
    )

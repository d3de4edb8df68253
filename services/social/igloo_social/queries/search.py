"""Finding people by what somebody has typed of their usernames and names, as `SearchName` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Float,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    column,
    func,
    literal_column,
    select,
    union_all,
)

from igloo_common.statements import Statement
from igloo_social.models.profiles import PROFILES, SEARCH_NAMES, is_here
from igloo_social.models.relations import RELATIONS, RelationType
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import VIEWER, person_is_shown, probe

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause, Select

    from igloo_common.database import Reader

MOST_BEGINNINGS: Final = 100
"""Usernames, and words of names, of those that begin as was typed, among which the best are chosen."""

_TYPED: ColumnElement[str] = bindparam("typed", type_=Text())
_USERNAME: ColumnElement[str] = bindparam("username", type_=Text())
_KEY: ColumnElement[str] = func.search_key(_TYPED, type_=Text())
# Behind everything that begins alike: the last code point there is.
_END = literal_column("U&'\\+10FFFF'", Text())
_NOTHING = literal_column("''", Text())


class FoundPerson(NamedTuple):
    """A person in short."""

    user_id: UUID
    username: str
    display_name: str
    avatar_url: str | None


def search_people(
    reader: Reader, *, typed: str, username: str, viewer_id: UUID | None, limit: int
) -> list[FoundPerson]:
    """Find people who exist for the viewer, the best first.

    First whose username is `username` or begins with it (empty, nobody's does), then those of whose names a
    word begins with `typed`; when they are fewer than `limit`, those whose names or usernames are like it.
    """
    values = {"typed": typed, "username": username, "viewer_id": viewer_id, "limit": limit}
    found = [FoundPerson(*row) for row in _BEGINNING.rows(reader, values)]
    if len(found) == limit:
        return found
    # Whom the one statement finds, the other may find as well.
    alike = _ALIKE.rows(reader, {**values, "limit": limit + len(found)})
    known = {person.user_id for person in found}
    return [*found, *(FoundPerson(*row) for row in alike if row[0] not in known)][:limit]


def _usernames() -> Select[Any]:
    names = _from(_USERNAME, SEARCH_NAMES.c.place == literal_column("0"))
    rank = case((names.c.name == _USERNAME, literal_column("0")), else_=literal_column("1"))
    return _beginning(names, _USERNAME, rank)


def _words() -> Select[Any]:
    names = _from(_KEY, SEARCH_NAMES.c.place > literal_column("0"))
    rank = case((names.c.place == literal_column("1"), literal_column("2")), else_=literal_column("3"))
    return _beginning(names, _KEY, rank)


def _from(start: ColumnElement[str], kind: ColumnElement[bool]) -> FromClause:
    """Read the next names from a place in the alphabet on: those that begin so, or the first of these.

    To look for what begins so here as well would have the planner expect few of them, and sort them all.
    """
    return (
        select(SEARCH_NAMES.c.user_id, SEARCH_NAMES.c.name, SEARCH_NAMES.c.place)
        .where(kind, start != _NOTHING, SEARCH_NAMES.c.name >= start, person_is_shown(SEARCH_NAMES.c.user_id))
        .order_by(SEARCH_NAMES.c.name)
        .limit(literal_column(str(MOST_BEGINNINGS)))
        .subquery()
    )


def _beginning(names: FromClause, start: ColumnElement[str], rank: ColumnElement[Any]) -> Select[Any]:
    # Not LIKE, in which % and _ would have a meaning of their own.
    return select(names.c.user_id, rank.label("rank")).where(names.c.name < start.concat(_END))


def beginning_statement() -> Select[Any]:
    """Select people of whom a username or a word of the name begins as was typed."""
    found = union_all(_usernames(), _words()).subquery("found")
    best = select(found.c.user_id, func.min(found.c.rank).label("rank")).group_by(found.c.user_id)
    return _people(best.subquery("best"), "rank", descending=False)


def alike_statement() -> Select[Any]:
    """Select people in whose username or name a word is like what was typed, if that is long enough."""
    names = func.names_like(_TYPED).table_valued(column("user_id", Uuid()), column("likeness", Float()))
    near = names.alias("near")
    best = select(near.c.user_id, near.c.likeness).where(person_is_shown(near.c.user_id))
    return _people(best.subquery("best"), "likeness", descending=True)


def _people(best: FromClause, order: str, *, descending: bool) -> Select[Any]:
    # LIMIT makes it a look by key for each: the planner would read all profiles while they are thousands.
    one = (
        select(*PERSON_COLUMNS)
        .where(PROFILES.c.user_id == best.c.user_id, is_here())
        .limit(literal_column("1"))
        .correlate(best)
        .lateral("person")
    )
    follow = RELATIONS.alias("follow")
    is_followed = probe(
        follow,
        follow.c.from_user == VIEWER,
        follow.c.relation_type == literal_column(f"'{RelationType.FOLLOW}'"),
        follow.c.to_user == one.c.user_id,
    )
    rank = best.c[order].desc() if descending else best.c[order]
    return (
        select(one)
        .select_from(best.join(one, literal_column("true")))
        .order_by(rank, is_followed.desc(), one.c.username)
        .limit(bindparam("limit", type_=Integer()))
    )


_BEGINNING = Statement(beginning_statement())
_ALIKE = Statement(alike_statement())

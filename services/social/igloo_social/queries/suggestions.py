"""Whom a person may want to follow: Facebook friends who are here as well, then whom their followees follow.

The list is one order by a moment and an id, newest first, like any other: a Facebook friend stands at the
moment when they were found, and everybody else at as many microseconds after the epoch as followees of the
person follow them. So friends come first, and then the others by that number; a cursor is a place in this
order and stays one, though people move in it as they are followed.

Followees are looked at as far as NEWEST_FOLLOWEES and THEIR_NEWEST say: the work is bounded, and so is what
`mutual_count` can count.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    DateTime,
    ScalarSelect,
    Select,
    Subquery,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from igloo_common.statements import Statement
from igloo_social.models.facebook_friends import FACEBOOK_FRIENDS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, RelationType, is_in_force
from igloo_social.models.suggestions import DISMISSED_SUGGESTIONS
from igloo_social.queries.posts import LIMIT, Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import VIEWER, person_is_not_muted, person_is_shown, probe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from igloo_common.database import Reader

FACEBOOK_FRIEND: Final = "facebook_friend"
FOLLOWED_BY_FOLLOWEES: Final = "followed_by_followees"

NEWEST_FOLLOWEES: Final = 100
THEIR_NEWEST: Final = 50
MUTUALS_SHOWN: Final = 3


class PersonInShort(NamedTuple):
    """A person as lists show them."""

    user_id: UUID
    username: str
    display_name: str
    avatar_url: str | None


class Suggestion(NamedTuple):
    """A person to follow, their place in the list, and the followees of the viewer who follow them."""

    user_id: UUID
    place: datetime
    """The moment by which the list is ordered."""
    is_facebook_friend: bool
    mutual_count: int
    mutual_ids: Sequence[UUID]


def suggestions_for(reader: Reader, *, viewer_id: UUID, scan: Scan) -> Page[Suggestion]:
    """Read a page of whom a person may want to follow; `people_in_short` tells who they all are."""
    statement = _suggestions(newer=scan.newer, bounded=scan.at is not None)
    rows = statement.rows(reader, {**scan.parameters(), "viewer_id": viewer_id})
    found = [Suggestion(*row) for row in rows]
    return page_of([person._replace(mutual_ids=person.mutual_ids[:MUTUALS_SHOWN]) for person in found], scan)


def people_in_short(reader: Reader, user_ids: Collection[UUID]) -> Mapping[UUID, PersonInShort]:
    """Read people who are here, by id."""
    if not user_ids:
        return {}
    rows = _PEOPLE.rows(reader, {"user_ids": list(user_ids)})
    return {person.user_id: person for person in (PersonInShort(*row) for row in rows)}


def suggestions_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page."""
    friends, others = _friends(newer=newer, bounded=bounded), _others(newer=newer, bounded=bounded)
    known_friends = select(
        friends.c.user_id,
        friends.c.place,
        literal_column("true").label("is_facebook_friend"),
        func.coalesce(_KNOWN.c.mutual_count, literal_column("0")).label("mutual_count"),
        func.coalesce(_KNOWN.c.mutual_ids, literal_column("'{}'::uuid[]")).label("mutual_ids"),
    ).join_from(friends, _KNOWN, _KNOWN.c.user_id == friends.c.user_id, isouter=True)
    page = union_all(known_friends, select(others)).subquery("page")
    place = (page.c.place, page.c.user_id)
    in_order = select(page).order_by(*(column.asc() if newer else column.desc() for column in place))
    return in_order.limit(LIMIT)


def _known() -> CTE:
    """Read whom the viewer's followees follow, and which of them do; the muted have no say."""
    mine, theirs, followee = RELATIONS.alias("mine"), RELATIONS.alias("theirs"), PROFILES.alias("followee")
    followees = (
        select(mine.c.to_user.label("user_id"), mine.c.created_at)
        .join_from(mine, followee, followee.c.user_id == mine.c.to_user)
        .where(
            mine.c.from_user == VIEWER,
            mine.c.relation_type == _FOLLOW,
            is_here(followee),
            person_is_shown(mine.c.to_user),
            person_is_not_muted(mine.c.to_user),
        )
        .order_by(mine.c.created_at.desc(), mine.c.to_user.desc())
        .limit(_newest(NEWEST_FOLLOWEES))
        .subquery("followees")
    )
    followed = (
        select(theirs.c.to_user.label("user_id"))
        .where(theirs.c.from_user == followees.c.user_id, theirs.c.relation_type == _FOLLOW)
        .order_by(theirs.c.created_at.desc(), theirs.c.to_user.desc())
        .limit(_newest(THEIR_NEWEST))
        .lateral("followed")
    )
    last_followed_first = (followees.c.created_at.desc(), followees.c.user_id.desc())
    mutual_ids = func.array_agg(aggregate_order_by(followees.c.user_id, *last_followed_first))
    return (
        select(
            followed.c.user_id,
            func.count().label("mutual_count"),
            mutual_ids.label("mutual_ids"),
        )
        .select_from(followees.join(followed, literal_column("true")))
        .group_by(followed.c.user_id)
        .cte("known")
    )


def _newest(number: int) -> ScalarSelect[int]:
    """Write a LIMIT whose value PostgreSQL does not know as it plans, so that it goes for the first rows.

    It would else take the average person's few follows for what everybody has, and read and sort all of those
    of people who have thousands.
    """
    limit: Select[tuple[int]] = select(literal_column(str(number)))
    return limit.scalar_subquery()


def _friends(*, newer: bool, bounded: bool) -> Subquery:
    friend_id, found_at = FACEBOOK_FRIENDS.c.friend_id, FACEBOOK_FRIENDS.c.found_at
    friends = select(friend_id.label("user_id"), found_at.label("place")).where(
        FACEBOOK_FRIENDS.c.user_id == VIEWER, _may_be_suggested(friend_id)
    )
    return keyset(friends, found_at, friend_id, newer=newer, bounded=bounded).subquery("friends")


def _others(*, newer: bool, bounded: bool) -> Subquery:
    friend = FACEBOOK_FRIENDS.alias("friend")
    place: ColumnElement[datetime] = literal_column(
        "timestamptz 'epoch' + known.mutual_count * interval '1 microsecond'", DateTime(timezone=True)
    )
    # Sorted in a subquery of its own: the looks below are then taken until the page is full, and not at all.
    everybody = select(_KNOWN, place.label("place"))
    order = [
        column.asc() if newer else column.desc() for column in (literal_column("place"), _KNOWN.c.user_id)
    ]
    ranked = everybody.order_by(*order).subquery("ranked")
    others = select(
        ranked.c.user_id,
        ranked.c.place,
        literal_column("false").label("is_facebook_friend"),
        ranked.c.mutual_count,
        ranked.c.mutual_ids,
    ).where(
        _may_be_suggested(ranked.c.user_id),
        ~probe(friend, friend.c.user_id == VIEWER, friend.c.friend_id == ranked.c.user_id),
    )
    return keyset(others, ranked.c.place, ranked.c.user_id, newer=newer, bounded=bounded).subquery("others")


def _may_be_suggested(user_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    edge, person = RELATIONS.alias("edge"), PROFILES.alias("person")
    dismissed = DISMISSED_SUGGESTIONS.alias("dismissed")
    return and_(
        user_id != VIEWER,
        # Of any kind: who is followed, asked, blocked or muted already is no news.
        ~probe(edge, edge.c.from_user == VIEWER, edge.c.to_user == user_id, is_in_force(edge)),
        ~probe(dismissed, dismissed.c.user_id == VIEWER, dismissed.c.dismissed_id == user_id),
        probe(person, person.c.user_id == user_id, is_here(person)),
        person_is_shown(user_id),
    )


_FOLLOW: ColumnElement[str] = literal_column(f"'{RelationType.FOLLOW}'")
_KNOWN = _known()
_PEOPLE = Statement(
    select(*PERSON_COLUMNS).where(
        PROFILES.c.user_id == func.any(bindparam("user_ids", type_=ARRAY(Uuid()))), is_here()
    )
)


@cache
def _suggestions(*, newer: bool, bounded: bool) -> Statement:
    return Statement(suggestions_statement(newer=newer, bounded=bounded))

"""Whom a person may want to follow: so far the Facebook friends who are here as well."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import and_, literal_column, select

from igloo_common.statements import Statement
from igloo_social.models.facebook_friends import FACEBOOK_FRIENDS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS
from igloo_social.queries.posts import Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import VIEWER, person_is_shown, probe

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Select

    from igloo_common.database import Reader

FACEBOOK_FRIEND = "facebook_friend"


class Suggestion(NamedTuple):
    """A person to follow, since when there has been a reason to, and which."""

    user_id: UUID
    username: str
    display_name: str
    avatar_url: str | None
    suggested_at: datetime
    reason: str


def suggestions_for(reader: Reader, *, viewer_id: UUID, scan: Scan) -> Page[Suggestion]:
    """Read whom a person may want to follow, the newest found first, in one statement."""
    statement = _suggestions(newer=scan.newer, bounded=scan.at is not None)
    rows = statement.rows(reader, {**scan.parameters(), "viewer_id": viewer_id})
    return page_of([Suggestion(*row) for row in rows], scan)


def suggestions_statement(*, newer: bool, bounded: bool) -> Select[tuple[UUID, str, str, str, datetime, str]]:
    """Write the statement of one page: along the friends' index, past whom the viewer has an edge to."""
    edge = RELATIONS.alias("edge")
    friend_id = FACEBOOK_FRIENDS.c.friend_id
    friends = (
        select(
            *PERSON_COLUMNS,
            FACEBOOK_FRIENDS.c.found_at,
            literal_column(f"'{FACEBOOK_FRIEND}'").label("reason"),
        )
        .join_from(FACEBOOK_FRIENDS, PROFILES, PROFILES.c.user_id == friend_id)
        .where(
            FACEBOOK_FRIENDS.c.user_id == VIEWER,
            and_(friend_id != VIEWER, is_here()),
            # Of any kind: who is followed, asked, blocked or muted already is no news.
            ~probe(edge, edge.c.from_user == VIEWER, edge.c.to_user == friend_id),
            person_is_shown(friend_id),
        )
    )
    return keyset(friends, FACEBOOK_FRIENDS.c.found_at, friend_id, newer=newer, bounded=bounded)


@cache
def _suggestions(*, newer: bool, bounded: bool) -> Statement:
    return Statement(suggestions_statement(newer=newer, bounded=bounded))

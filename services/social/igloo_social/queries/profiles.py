"""Reads of people: one profile as a viewer sees it, and the short form that lists and posts carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)

from igloo_common.errors import NotFound
from igloo_common.statements import Statement
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, Relationship, RelationType
from igloo_social.policies.posts import visible_post_count
from igloo_social.policies.relations import may_see_person
from igloo_social.queries.relations import end_of_mute, kinds_between
from igloo_social.queries.visibility import HIDDEN_PEOPLE, VIEWER

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from igloo_common.database import Reader


class UserNotFound(NotFound):
    """There is no such person: unknown, deleted, or one who has blocked the asker."""

    def __init__(self) -> None:
        # The same words for all three: the blocked must not learn that they are.
        super().__init__("There is no such user.")


PERSON_COLUMNS: tuple[ColumnElement[Any], ...] = (
    PROFILES.c.user_id,
    PROFILES.c.username,
    PROFILES.c.display_name,
    PROFILES.c.avatar_url,
)
"""What a list or a post shows of a person; `person_json` of schemas presents it."""


class ProfileRow(NamedTuple):
    """A profile, with the letters of the edges between it and its viewer; see `Relationship.of_kinds`."""

    user_id: UUID
    username: str
    display_name: str
    avatar_url: str | None
    bio: str
    is_private: bool
    post_count: int
    """What the viewer could page through; the two that follow are what others than the owner see."""
    public_post_count: int
    followers_post_count: int
    version: int
    created_at: datetime
    follower_count: int
    following_count: int
    outgoing: str | None = None
    incoming: str | None = None
    muting_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile with what stands between it and its viewer: None for oneself and for an anonymous viewer."""

    profile: ProfileRow
    relationship: Relationship | None


def find_profile(reader: Reader, *, user_id: UUID, viewer_id: UUID | None) -> ProfileView | None:
    """Find a person who exists for the viewer, with the counts that they could count, in one statement."""
    statement = _BY_ID_FOR_ANYBODY if viewer_id is None else _BY_ID
    return _found(reader, statement, user_id, viewer_id)


def find_profile_by_username(reader: Reader, *, username: str, viewer_id: UUID | None) -> ProfileView | None:
    """Find a person by normalised username, likewise."""
    statement = _BY_USERNAME_FOR_ANYBODY if viewer_id is None else _BY_USERNAME
    return _found(reader, statement, username, viewer_id)


def visible_profile(reader: Reader, *, user_id: UUID, viewer_id: UUID | None) -> ProfileView:
    """Find a person who exists for the viewer.

    Raises:
        UserNotFound: There is none.
    """
    view = find_profile(reader, user_id=user_id, viewer_id=viewer_id)
    if view is None:
        raise UserNotFound
    return view


def _found(
    reader: Reader, statement: Statement, key: UUID | str, viewer_id: UUID | None
) -> ProfileView | None:
    found = statement.row(reader, {"key": key, "viewer_id": viewer_id})
    if found is None:
        return None
    row = ProfileRow(*found)
    if viewer_id == row.user_id:
        return ProfileView(row, None)
    if viewer_id is None:
        return ProfileView(_as_told(row, Relationship()), None)
    relationship = Relationship.of_kinds(row.outgoing, row.incoming, muting_until=row.muting_until)
    return ProfileView(_as_told(row, relationship), relationship) if may_see_person(relationship) else None


def _as_told(row: ProfileRow, relationship: Relationship) -> ProfileRow:
    """Tell somebody else of as many posts as they could page through."""
    post_count = visible_post_count(
        relationship,
        is_private=row.is_private,
        public=row.public_post_count,
        for_followers=row.followers_post_count,
    )
    return row._replace(post_count=post_count)


def _hidden_follows(*, incoming: bool) -> ColumnElement[int]:
    """Count a profile's followers, or followees, who are hidden from the viewer.

    Counted from the hidden people, mostly none: the scalar subquery inside the sum keeps PostgreSQL from
    turning it round into a walk over all followers of the profile.
    """
    edges = RELATIONS.alias()
    near, far = (edges.c.to_user, edges.c.from_user) if incoming else (edges.c.from_user, edges.c.to_user)
    follows = (
        select(func.count())
        .where(
            near == PROFILES.c.user_id,
            far == HIDDEN_PEOPLE.c.user_id,
            edges.c.relation_type == literal_column(f"'{RelationType.FOLLOW}'"),
        )
        .correlate(PROFILES, HIDDEN_PEOPLE)
        .scalar_subquery()
    )
    total = select(func.coalesce(func.sum(follows), literal_column("0"))).select_from(HIDDEN_PEOPLE)
    return cast(total.correlate(PROFILES).scalar_subquery(), BigInteger)


def _statement(key: ColumnElement[Any], *, for_viewer: bool) -> Statement:
    columns = [
        *PERSON_COLUMNS,
        PROFILES.c.bio,
        PROFILES.c.is_private,
        PROFILES.c.post_count,
        PROFILES.c.public_post_count,
        PROFILES.c.followers_post_count,
        PROFILES.c.version,
        PROFILES.c.created_at,
        (PROFILES.c.follower_count - _hidden_follows(incoming=True)).label("follower_count"),
        (PROFILES.c.following_count - _hidden_follows(incoming=False)).label("following_count"),
    ]
    if for_viewer:
        columns += [
            kinds_between(VIEWER, PROFILES.c.user_id, people=PROFILES).label("outgoing"),
            kinds_between(PROFILES.c.user_id, VIEWER, people=PROFILES).label("incoming"),
            end_of_mute(PROFILES.c.user_id, people=PROFILES).label("muting_until"),
        ]
    return Statement(select(*columns).where(key == bindparam("key", type_=key.type), is_here()))


_BY_ID = _statement(PROFILES.c.user_id, for_viewer=True)
_BY_ID_FOR_ANYBODY = _statement(PROFILES.c.user_id, for_viewer=False)
_BY_USERNAME = _statement(PROFILES.c.username, for_viewer=True)
_BY_USERNAME_FOR_ANYBODY = _statement(PROFILES.c.username, for_viewer=False)

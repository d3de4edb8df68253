"""Whom a person's own copy names: a statement for each section about others, with `person_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists, literal_column, select, union_all

from igloo_social.models.facebook_friends import FACEBOOK_FRIENDS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, RelationType, is_in_force
from igloo_social.models.suggestions import DISMISSED_SUGGESTIONS
from igloo_social.models.suspensions import SUSPENDED_RELATIONS

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select, Table

PERSON: ColumnElement[UUID] = bindparam("person_id", type_=Uuid())
_BLOCK = RELATIONS.alias("block")


def blocks_nobody(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Hold where somebody does not block the person whose copy it is."""
    return ~exists().where(
        _BLOCK.c.from_user == user_id,
        _BLOCK.c.to_user == PERSON,
        _BLOCK.c.relation_type == literal_column(f"'{RelationType.BLOCK}'"),
    )


def is_seen(user_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Hold where somebody, joined as `profiles`, exists for the person whose copy it is."""
    return and_(is_here(), blocks_nobody(user_id))


def people(kind: RelationType, *, incoming: bool = False) -> Select[Any]:
    """Read to whom edges lead, or from whom they come, also those of a person who is suspended."""
    edges = union_all(*(_edges(table, kind, incoming) for table in (RELATIONS, SUSPENDED_RELATIONS)))
    far = edges.subquery()
    return (
        select(far.c.user_id, PROFILES.c.username, far.c.since)
        .join_from(far, PROFILES, PROFILES.c.user_id == far.c.user_id)
        .where(is_seen(far.c.user_id))
        .order_by(far.c.since, far.c.user_id)
    )


def _edges(table: Table, kind: RelationType, incoming: bool) -> Select[Any]:
    near, far = table.c.from_user, table.c.to_user
    if incoming:
        near, far = far, near
    is_of_kind = table.c.relation_type == literal_column(f"'{kind}'")
    return select(far.label("user_id"), table.c.created_at.label("since")).where(near == PERSON, is_of_kind)


def mutes() -> Select[Any]:
    """Read whom the person mutes, and until when."""
    muted, is_mute = (
        RELATIONS.c.to_user,
        RELATIONS.c.relation_type == literal_column(f"'{RelationType.MUTE}'"),
    )
    return (
        select(
            muted.label("user_id"),
            PROFILES.c.username,
            RELATIONS.c.created_at.label("since"),
            RELATIONS.c.expires_at.label("until"),
        )
        .join_from(RELATIONS, PROFILES, PROFILES.c.user_id == muted)
        .where(RELATIONS.c.from_user == PERSON, is_mute, is_in_force(), is_seen(muted))
        .order_by(RELATIONS.c.created_at, muted)
    )


def dismissed_suggestions() -> Select[Any]:
    """Read whom the person does not want to be suggested."""
    dismissed_id = DISMISSED_SUGGESTIONS.c.dismissed_id
    return (
        select(dismissed_id.label("user_id"), PROFILES.c.username, DISMISSED_SUGGESTIONS.c.dismissed_at)
        .join_from(DISMISSED_SUGGESTIONS, PROFILES, PROFILES.c.user_id == dismissed_id)
        .where(DISMISSED_SUGGESTIONS.c.user_id == PERSON, is_seen(dismissed_id))
        .order_by(DISMISSED_SUGGESTIONS.c.dismissed_at, dismissed_id)
    )


def facebook_friends() -> Select[Any]:
    """Read who of the person's Facebook friends are here."""
    friend_id = FACEBOOK_FRIENDS.c.friend_id
    return (
        select(friend_id.label("user_id"), PROFILES.c.username, FACEBOOK_FRIENDS.c.found_at)
        .join_from(FACEBOOK_FRIENDS, PROFILES, PROFILES.c.user_id == friend_id)
        .where(FACEBOOK_FRIENDS.c.user_id == PERSON, is_seen(friend_id))
        .order_by(FACEBOOK_FRIENDS.c.found_at, friend_id)
    )

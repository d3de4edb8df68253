"""Reads of what stands between people, each named after the end that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    SQLColumnExpression,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
)

from igloo_common.statements import Statement
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, Relationship, RelationType, is_in_force
from igloo_social.queries.visibility import VIEWER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import FromClause

    from igloo_common.database import Reader


def kinds_between(
    from_user: SQLColumnExpression[Any], to_user: SQLColumnExpression[Any], *, people: FromClause
) -> ColumnElement[str | None]:
    """Read the letters of the edges from one person to another, of whom one at least is a column of `people`.

    One range of the primary key; `Relationship.of_kinds` takes both ways' letters.
    """
    edges = RELATIONS.alias()
    return (
        select(func.string_agg(edges.c.relation_type, literal_column("''")))
        .where(edges.c.from_user == from_user, edges.c.to_user == to_user, is_in_force(edges))
        .correlate(people)
        .scalar_subquery()
    )


def end_of_mute(muted: ColumnElement[UUID], *, people: FromClause) -> ColumnElement[datetime | None]:
    """Read when the viewer's mute of a person, who is a column of `people`, ends by itself."""
    mute = RELATIONS.alias()
    return (
        select(mute.c.expires_at)
        .where(
            mute.c.from_user == VIEWER,
            mute.c.to_user == muted,
            mute.c.relation_type == literal_column(f"'{RelationType.MUTE}'"),
        )
        .correlate(people)
        .scalar_subquery()
    )


def relationship_between(reader: Reader, *, viewer_id: UUID, user_id: UUID) -> Relationship:
    """Read what two people are to each other, from the viewer's side; whether they exist is not asked."""
    edges = _BETWEEN.rows(reader, {"viewer_id": viewer_id, "user_id": user_id})
    outgoing = "".join(kind for from_user, kind, _ in edges if from_user == viewer_id)
    incoming = "".join(kind for from_user, kind, _ in edges if from_user == user_id)
    ends = [ends_at for from_user, _, ends_at in edges if from_user == viewer_id and ends_at is not None]
    return Relationship.of_kinds(outgoing, incoming, muting_until=next(iter(ends), None))


def relationships_with(
    reader: Reader, *, viewer_id: UUID, user_ids: Sequence[UUID]
) -> Mapping[UUID, Relationship]:
    """Read what the viewer is to each of these people; those who do not exist for the viewer are left out."""
    rows = reader.execute(_BATCH, {"viewer_id": viewer_id, "user_ids": list(user_ids)})
    found = {
        row.user_id: Relationship.of_kinds(row.outgoing, row.incoming, muting_until=row.muting_until)
        for row in rows
    }
    return {user_id: relationship for user_id, relationship in found.items() if not relationship.blocked_by}


def requesters_of(reader: Reader, *, user_id: UUID, limit: int) -> list[UUID]:
    """List who asks to follow a person and is here, the first to ask first."""
    statement = (
        select(RELATIONS.c.from_user)
        .join(PROFILES, PROFILES.c.user_id == RELATIONS.c.from_user)
        .where(is_here())
        .where(RELATIONS.c.to_user == user_id, RELATIONS.c.relation_type == RelationType.REQUEST.value)
        .order_by(RELATIONS.c.created_at, RELATIONS.c.from_user)
        .limit(limit)
    )
    return list(reader.execute(statement).scalars())


def public_account_with_requests(reader: Reader) -> UUID | None:
    """Find a public account that somebody still asks to follow: it has gone public a moment ago."""
    requester = PROFILES.alias("requester")
    statement = (
        select(RELATIONS.c.to_user)
        .join(PROFILES, PROFILES.c.user_id == RELATIONS.c.to_user)
        .join(requester, requester.c.user_id == RELATIONS.c.from_user)
        .where(
            RELATIONS.c.relation_type == literal_column(f"'{RelationType.REQUEST}'"),
            ~PROFILES.c.is_private,
            is_here(),
            is_here(requester),
        )
        .limit(1)
    )
    return reader.execute(statement).scalar()


def is_public(reader: Reader, user_id: UUID) -> bool:
    """Tell whether an account is public, whatever else became of it."""
    statement = select(~PROFILES.c.is_private).where(PROFILES.c.user_id == user_id)
    return bool(reader.execute(statement).scalar())


def count_requests_of(reader: Reader, user_id: UUID, *, limit: int) -> int:
    """Count whom a person asks to follow, and stop at the limit."""
    counted = _REQUESTS.row(reader, {"user_id": user_id, "limit": limit})
    return counted[0] if counted else 0


_REQUESTS = Statement("""
SELECT count(*) FROM (
    SELECT FROM relations WHERE from_user = %(user_id)s AND relation_type = 'r' LIMIT %(limit)s
) AS counted
""")
_USER = bindparam("user_id", type_=Uuid())
_EDGE = select(RELATIONS.c.from_user, RELATIONS.c.relation_type, RELATIONS.c.expires_at).where(is_in_force())
_BETWEEN = Statement(
    _EDGE.where(RELATIONS.c.from_user == VIEWER, RELATIONS.c.to_user == _USER).union_all(
        _EDGE.where(RELATIONS.c.from_user == _USER, RELATIONS.c.to_user == VIEWER)
    )
)
_BATCH = select(
    PROFILES.c.user_id,
    kinds_between(VIEWER, PROFILES.c.user_id, people=PROFILES).label("outgoing"),
    kinds_between(PROFILES.c.user_id, VIEWER, people=PROFILES).label("incoming"),
    end_of_mute(PROFILES.c.user_id, people=PROFILES).label("muting_until"),
).where(
    PROFILES.c.user_id == func.any(bindparam("user_ids", type_=ARRAY(Uuid()))),
    is_here(),
)

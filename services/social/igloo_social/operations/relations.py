"""Changes of single edges under the lock of both people; follows, requests and blocks are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ARRAY, Text, Uuid, bindparam, delete, func, select, text

from igloo_common.errors import Invalid
from igloo_common.outbox import emit
from igloo_social.events import RelationChanged
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS, Relationship, RelationType
from igloo_social.operations.counts import count_follow
from igloo_social.policies.relations import may_see_person
from igloo_social.queries.profiles import UserNotFound
from igloo_social.queries.relations import relationship_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session


class SelfRelation(Invalid):
    """A person tried to follow or to block themselves."""

    def __init__(self) -> None:
        super().__init__("People cannot follow or block themselves.")


@dataclass(frozen=True, kw_only=True)
class LockedPair:
    """Two people between whom nothing changes until the transaction ends."""

    relationship: Relationship
    actor_is_private: bool
    other_is_private: bool


def lock_people(session: Session, user_ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """Lock the living among these people, in the order of their ids so that no two transactions deadlock.

    Every change of an edge holds both ends' locks, and so may trust what it reads after this, also counts.
    """
    return session.execute(_LOCK_PEOPLE, {"user_ids": list(user_ids)}).all()


def lock_pair(session: Session, *, actor_id: UUID, other_id: UUID) -> LockedPair:
    """Lock the actor and the other person, then read what stands between them.

    Raises:
        SelfRelation: The two are the same person.
        UserNotFound: The other person does not exist for the actor.
    """
    if actor_id == other_id:
        raise SelfRelation
    is_private = {row.user_id: row.is_private for row in lock_people(session, (actor_id, other_id))}
    if len(is_private) != len((actor_id, other_id)):
        raise UserNotFound
    # A statement of its own: the one that waited for the locks would show the edges as they were before.
    relationship = relationship_between(session, viewer_id=actor_id, user_id=other_id)
    if not may_see_person(relationship):
        raise UserNotFound
    return LockedPair(
        relationship=relationship,
        actor_is_private=is_private[actor_id],
        other_is_private=is_private[other_id],
    )


def add_edge(
    session: Session, *, from_user: UUID, to_user: UUID, relation_type: RelationType, now: datetime
) -> bool:
    """Add an edge and announce it; False, and nothing announced, when it was there. Needs the pair's lock."""
    edge = {"near": from_user, "far": to_user, "letter": relation_type.value, "now": now}
    added = session.execute(_ADD_EDGE, edge).one_or_none()
    if added is None:
        return False
    if relation_type is RelationType.FOLLOW:
        count_follow(session, follower_id=from_user, followee_id=to_user, change=1)
    _announce(session, (from_user, to_user, relation_type), "created", now)
    return True


def remove_edges(
    session: Session, *, from_user: UUID, to_user: UUID, relation_types: Sequence[RelationType], now: datetime
) -> frozenset[RelationType]:
    """Remove edges of these kinds and announce it; return those that were there. Needs the pair's lock."""
    letters = [kind.value for kind in relation_types]
    edges = {"near": from_user, "far": to_user, "letters": letters}
    removed = session.scalars(_REMOVE_EDGES, edges).all()
    kinds = sorted(RelationType(letter) for letter in removed)
    if RelationType.FOLLOW in kinds:
        count_follow(session, follower_id=from_user, followee_id=to_user, change=-1)
    for kind in kinds:
        _announce(session, (from_user, to_user, kind), "removed", now)
    return frozenset(kinds)


def _announce(
    session: Session,
    edge: tuple[UUID, UUID, RelationType],
    change: Literal["created", "removed"],
    now: datetime,
) -> None:
    from_user, to_user, relation_type = edge
    event = RelationChanged(
        from_user_id=from_user,
        to_user_id=to_user,
        relation_type=relation_type.value,
        change=change,
        changed_at=now,
    )
    emit(session, event, now=now)


# Built once: making a statement anew at every call costs as much as running it.
_LOCK_PEOPLE = (
    select(PROFILES.c.user_id, PROFILES.c.is_private)
    .where(
        PROFILES.c.user_id == func.any(bindparam("user_ids", type_=ARRAY(Uuid()))),
        PROFILES.c.deleted_at.is_(None),
    )
    .order_by(PROFILES.c.user_id)
    .with_for_update(key_share=True)
)
# As text, for SQLAlchemy 2.0 compiles an insert with ON CONFLICT anew at every call.
_ADD_EDGE = text(
    "INSERT INTO relations (from_user, to_user, relation_type, created_at)"
    " VALUES (:near, :far, :letter, :now) ON CONFLICT DO NOTHING RETURNING from_user"
)
_REMOVE_EDGES = (
    delete(RELATIONS)
    .where(
        RELATIONS.c.from_user == bindparam("near", type_=Uuid()),
        RELATIONS.c.to_user == bindparam("far", type_=Uuid()),
        RELATIONS.c.relation_type == func.any(bindparam("letters", type_=ARRAY(Text()))),
    )
    .returning(RELATIONS.c.relation_type)
)

"""Changes of single edges under the lock of both people; follows, requests and blocks are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from igloo_common.errors import Invalid
from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_social.events import RelationChanged
from igloo_social.models.relations import Relationship, RelationType
from igloo_social.operations import feed_changes
from igloo_social.operations.counts import counting
from igloo_social.policies.relations import may_see_person
from igloo_social.queries.profiles import UserNotFound
from igloo_social.queries.relations import relationship_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


class SelfRelation(Invalid):
    """A person tried to follow, block or mute themselves, or the like."""

    def __init__(self) -> None:
        super().__init__("People cannot do this to themselves.")


@dataclass(frozen=True, kw_only=True)
class LockedPair:
    """Two people between whom nothing changes until the transaction ends."""

    relationship: Relationship
    actor_is_private: bool
    other_is_private: bool
    actor_following_count: int


def lock_people(session: Session, user_ids: Iterable[UUID]) -> Mapping[UUID, bool]:
    """Lock the living among these people, in the order of their ids so that no two transactions deadlock.

    Tells of each whether their account is private. The suspended live, too.

    Every change of an edge holds both ends' locks, and so may trust what it reads after this, also counts.
    """
    locked = _LOCK_PEOPLE.rows(session, {"user_ids": list(user_ids)})
    return {user_id: is_private for user_id, is_private, *_ in locked}


def lock_person(session: Session, user_id: UUID) -> bool:
    """Act for a person while nobody else does; False when their account was deleted, or is suspended."""
    return any(is_here for _, _, is_here, _ in _LOCK_PEOPLE.rows(session, {"user_ids": [user_id]}))


def share_person(session: Session, user_id: UUID) -> None:
    """Act for a person, beside others who do, while nobody deletes them or changes their relations.

    Raises:
        UserNotFound: Their account was deleted, or is suspended.
    """
    if not _SHARE_PERSON.rows(session, {"user_id": user_id}):
        raise UserNotFound


def lock_pair(session: Session, *, actor_id: UUID, other_id: UUID) -> LockedPair:
    """Lock the actor and the other person, then read what stands between them.

    Raises:
        SelfRelation: The two are the same person.
        UserNotFound: The other person does not exist for the actor.
    """
    if actor_id == other_id:
        raise SelfRelation
    locked = _LOCK_PEOPLE.send(session, {"user_ids": [actor_id, other_id]})
    # A statement of its own: the one that waited for the locks would show the edges as they were before.
    relationship = relationship_between(session, viewer_id=actor_id, user_id=other_id)
    here = {row[0]: row for row in locked.rows() if row[2]}
    if len(here) != len((actor_id, other_id)):
        raise UserNotFound
    if not may_see_person(relationship):
        raise UserNotFound
    return LockedPair(
        relationship=relationship,
        actor_is_private=here[actor_id][1],
        other_is_private=here[other_id][1],
        actor_following_count=here[actor_id][3],
    )


def add_edge(
    session: Session, *, from_user: UUID, to_user: UUID, relation_type: RelationType, now: datetime
) -> bool:
    """Add an edge and announce it; False, and nothing announced, when it was there. Needs the pair's lock."""
    edge = {"near": from_user, "far": to_user, "letter": relation_type.value, "now": now}
    add = _ADD_FOLLOW if relation_type is RelationType.FOLLOW else _ADD_EDGE
    if not add.count(session, edge):
        return False
    if relation_type is RelationType.MUTE:
        feed_changes.note_author(session, [from_user], author_id=to_user, now=now)
    _announce(session, (from_user, to_user, relation_type), "created", now)
    return True


def remove_edges(
    session: Session, *, from_user: UUID, to_user: UUID, relation_types: Sequence[RelationType], now: datetime
) -> frozenset[RelationType]:
    """Remove edges of these kinds and announce it; return those that were there. Needs the pair's lock."""
    letters = [kind.value for kind in relation_types]
    edges = {"near": from_user, "far": to_user, "letters": letters, "now": now}
    removed = _REMOVE_EDGES.rows(session, edges)
    kinds = sorted(RelationType(letter) for (letter,) in removed)
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


_LOCK_PEOPLE = Statement("""
SELECT user_id, is_private, suspended_at IS NULL, following_count FROM profiles
WHERE user_id = ANY(%(user_ids)s) AND deleted_at IS NULL
ORDER BY user_id FOR NO KEY UPDATE
""")
_SHARE_PERSON = Statement("""
SELECT user_id FROM profiles
WHERE user_id = %(user_id)s AND deleted_at IS NULL AND suspended_at IS NULL
FOR SHARE
""")
_INSERT_EDGE = """
INSERT INTO relations (from_user, to_user, relation_type, created_at)
VALUES (%(near)s, %(far)s, %(letter)s, %(now)s) ON CONFLICT DO NOTHING
"""
_ADD_EDGE = Statement(_INSERT_EDGE)
# The follower's feed reads the posts of a very popular account, and is not written to for it.
_INSERT_FOLLOW = """
INSERT INTO relations (from_user, to_user, relation_type, created_at, is_merged)
SELECT %(near)s, user_id, %(letter)s, %(now)s, merged_at_read FROM profiles WHERE user_id = %(far)s
ON CONFLICT DO NOTHING
"""
_ADD_FOLLOW = Statement(f"WITH edge AS ({_INSERT_FOLLOW} RETURNING from_user) {counting('edge', 1)}")
# Phones that keep the former follower's feed are told in the same statement.
_REMOVE_EDGES = Statement(
    f"""
WITH removed AS (
    DELETE FROM relations
    WHERE from_user = %(near)s AND to_user = %(far)s AND relation_type = ANY(%(letters)s)
    RETURNING relation_type
), follow AS (SELECT FROM removed WHERE relation_type = 'f'),
counted AS ({counting("follow", -1)}), told AS (
    INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
    SELECT %(near)s, %(now)s, %(far)s, 'a' FROM follow ON CONFLICT DO NOTHING
)
SELECT relation_type FROM removed
"""  # noqa: S608 - words of our own
)

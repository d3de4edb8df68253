"""Blocking people: one transaction after which neither finds a trace of the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from igloo_social.models.relations import Relationship, RelationType
from igloo_social.operations import likes, notifications, timeline
from igloo_social.operations.relations import add_edge, lock_pair, remove_edges

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

_FOLLOW_KINDS = (RelationType.FOLLOW, RelationType.REQUEST)


def block_account(session: Session, *, actor_id: UUID, blocked_id: UUID, now: datetime) -> Relationship:
    """Block a person: follows, requests, notifications, feed entries and likes between the two go, both ways.

    Done already, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=blocked_id)
    if pair.relationship.blocking:
        return pair.relationship
    for from_user, to_user in ((actor_id, blocked_id), (blocked_id, actor_id)):
        remove_edges(session, from_user=from_user, to_user=to_user, relation_types=_FOLLOW_KINDS, now=now)
    add_edge(session, from_user=actor_id, to_user=blocked_id, relation_type=RelationType.BLOCK, now=now)
    _remove_traces(session, actor_id, blocked_id)
    before = pair.relationship
    return Relationship(blocking=True, muting=before.muting, muting_until=before.muting_until)


def unblock_account(session: Session, *, actor_id: UUID, blocked_id: UUID, now: datetime) -> Relationship:
    """No longer block a person; nothing that the block removed comes back.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=blocked_id)
    if pair.relationship.blocking:
        remove_edges(
            session,
            from_user=actor_id,
            to_user=blocked_id,
            relation_types=(RelationType.BLOCK,),
            now=now,
        )
    return replace(pair.relationship, blocking=False)


def _remove_traces(session: Session, a: UUID, b: UUID) -> None:
    """Take each out of what the other sees, in the block's own transaction: no event may come too late."""
    notifications.remove_between(session, a, b)
    timeline.remove_between(session, a, b)
    likes.remove_between(session, a, b)

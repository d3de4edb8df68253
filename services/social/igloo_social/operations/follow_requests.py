"""Answering the people who ask to follow a private account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from igloo_common.errors import NotFound
from igloo_social.models.relations import RelationType
from igloo_social.operations.follows import end_follow
from igloo_social.operations.relations import add_edge, lock_pair, lock_people
from igloo_social.queries.relations import requesters_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.models.relations import Relationship


class FollowRequestNotFound(NotFound):
    """The person does not ask to follow the actor: they never did, or they withdrew it."""

    def __init__(self) -> None:
        super().__init__("This person does not ask to follow you.")


def accept_request(session: Session, *, actor_id: UUID, requester_id: UUID, now: datetime) -> Relationship:
    """Let a person who asked follow the actor; accepted already, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
        FollowRequestNotFound: They do not ask, and do not follow either.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=requester_id)
    if pair.relationship.requested_by:
        _make_follow(session, requester_id, actor_id, now)
    elif not pair.relationship.followed_by:
        raise FollowRequestNotFound
    return replace(pair.relationship, requested_by=False, followed_by=True)


def reject_request(session: Session, *, actor_id: UUID, requester_id: UUID, now: datetime) -> Relationship:
    """Turn down a person who asked to follow the actor; nobody asking, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=requester_id)
    if pair.relationship.requested_by:
        end_follow(session, follower_id=requester_id, followee_id=actor_id, now=now)
    return replace(pair.relationship, requested_by=False)


def lock_with_requesters(session: Session, user_id: UUID) -> list[UUID]:
    """Lock a person and everybody who asks to follow them, and return the latter.

    Nobody can begin to ask, or withdraw it, until the transaction ends. Who began between looking and locking
    is not locked, and locking them now would break the order of ids: so all is let go and taken again.
    """
    while True:
        expected = requesters_of(session, user_id=user_id)
        with session.begin_nested() as attempt:
            lock_people(session, [user_id, *expected])
            asking = requesters_of(session, user_id=user_id)
            if set(asking) <= set(expected):
                return asking
            attempt.rollback()


def accept_requests(
    session: Session, *, actor_id: UUID, requester_ids: Sequence[UUID], now: datetime
) -> None:
    """Let people follow who asked to, as when an account goes public; needs `lock_with_requesters`."""
    for requester_id in requester_ids:
        _make_follow(session, requester_id, actor_id, now)


def _make_follow(session: Session, requester_id: UUID, actor_id: UUID, now: datetime) -> None:
    end_follow(session, follower_id=requester_id, followee_id=actor_id, now=now)
    add_edge(session, from_user=requester_id, to_user=actor_id, relation_type=RelationType.FOLLOW, now=now)

"""Answering the people who ask to follow a private account."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from igloo_common.errors import NotFound
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.relations import RelationType
from igloo_social.operations import notifications
from igloo_social.operations.follows import end_follow
from igloo_social.operations.relations import add_edge, lock_pair, lock_people, remove_edges
from igloo_social.queries.relations import is_public, public_account_with_requests, requesters_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.models.relations import Relationship


ACCEPTED_AT_ONCE = 200
"""Requests accepted in one transaction: a third of a second, in which those who asked wait for their own."""


class FollowRequestNotFound(NotFound):
    """The person does not ask to follow the actor: they never did, or they withdrew it."""

    def __init__(self) -> None:
        super().__init__("This person does not ask to follow you.")


def accept_request(session: Session, *, actor_id: UUID, requester_id: UUID, now: datetime) -> Relationship:
    """Let a person who asked follow the actor, and tell them so; accepted already, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
        FollowRequestNotFound: They do not ask, and do not follow either.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=requester_id)
    if pair.relationship.requested_by:
        accept_requests(session, actor_id=actor_id, requester_ids=[requester_id], now=now)
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
    """Lock a person and those who ask to follow them, the first to ask first, and return the latter.

    No more than ACCEPTED_AT_ONCE of them. None of these can withdraw it until the transaction ends. Who came
    between looking and locking is not locked, and locking them now would break the order of ids: so all is
    let go and taken again.
    """
    while True:
        expected = requesters_of(session, user_id=user_id, limit=ACCEPTED_AT_ONCE)
        with session.begin_nested() as attempt:
            lock_people(session, [user_id, *expected])
            asking = requesters_of(session, user_id=user_id, limit=ACCEPTED_AT_ONCE)
            if set(asking) <= set(expected):
                return asking
            attempt.rollback()


def accept_waiting(session: Session, *, now: datetime) -> bool:
    """Accept some of the requests that still wait for an account which has gone public; False if none does.

    Going public accepts the first of them by itself, and no more than fit into one transaction.
    """
    user_id = public_account_with_requests(session)
    if user_id is None:
        return False
    requesters = lock_with_requesters(session, user_id)
    if is_public(session, user_id):
        accept_requests(session, actor_id=user_id, requester_ids=requesters, now=now)
    return True


def accept_requests(
    session: Session, *, actor_id: UUID, requester_ids: Sequence[UUID], now: datetime
) -> None:
    """Let people follow who asked to, and tell them so: one of them, or all when an account goes public.

    Needs their locks and the actor's, as of `lock_with_requesters`.
    """
    in_order = sorted(requester_ids)
    for requester_id in in_order:
        edge = {"from_user": requester_id, "to_user": actor_id}
        remove_edges(session, **edge, relation_types=(RelationType.REQUEST,), now=now)
        add_edge(session, **edge, relation_type=RelationType.FOLLOW, now=now)
    # After all edges: what is told is locked last.
    for requester_id in in_order:
        notifications.withdraw(
            session,
            recipient_id=actor_id,
            kind=NotificationKind.FOLLOW_REQUEST,
            actor_id=requester_id,
            object_id=None,
        )
    for requester_id in in_order:
        notifications.notify(
            session,
            recipient_id=requester_id,
            kind=NotificationKind.FOLLOW_ACCEPTED,
            actor_id=actor_id,
            object_id=None,
            now=now,
        )

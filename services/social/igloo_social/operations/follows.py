"""Following people, asking to, and no longer doing so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from igloo_common.errors import Conflict
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.relations import RelationType
from igloo_social.operations import notifications
from igloo_social.operations.relations import LockedPair, add_edge, lock_pair, remove_edges
from igloo_social.policies.relations import MOST_FOLLOWEES, MOST_REQUESTS, edge_of_follow
from igloo_social.queries.relations import count_requests_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.models.relations import Relationship

NEWS_OF_EDGES = {
    RelationType.FOLLOW: NotificationKind.FOLLOW,
    RelationType.REQUEST: NotificationKind.FOLLOW_REQUEST,
}
"""What the person at the far end of an edge is told of it."""


class PersonIsBlocked(Conflict):
    """The actor has blocked the person whom they want to follow."""

    def __init__(self) -> None:
        super().__init__("You have blocked this person: unblock them first.")


class TooManyFollowees(Conflict):
    """The actor follows as many people as one may."""

    def __init__(self) -> None:
        super().__init__(f"You follow {MOST_FOLLOWEES} people, which is as many as one can.")


class TooManyFollowRequests(Conflict):
    """The actor waits for as many answers as one may."""

    def __init__(self) -> None:
        super().__init__(f"You ask {MOST_REQUESTS} people to follow them, which is as many as one can.")


def follow_account(session: Session, *, actor_id: UUID, followee_id: UUID, now: datetime) -> Relationship:
    """Follow a person, or ask to when their account is private; done already, it changes and tells nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
        PersonIsBlocked: The actor blocks the person.
        TooManyFollowees, TooManyFollowRequests: The actor follows, or asks, as many as one may.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=followee_id)
    if pair.relationship.blocking:
        raise PersonIsBlocked
    kind = edge_of_follow(pair.relationship, is_private=pair.other_is_private)
    if kind is None:
        return pair.relationship
    _require_room(session, actor_id, pair, kind)
    add_edge(session, from_user=actor_id, to_user=followee_id, relation_type=kind, now=now)
    notifications.notify(
        session,
        recipient_id=followee_id,
        kind=NEWS_OF_EDGES[kind],
        actor_id=actor_id,
        object_id=None,
        now=now,
    )
    asks = kind is RelationType.REQUEST
    return replace(pair.relationship, following=not asks, requested=asks)


def _require_room(session: Session, actor_id: UUID, pair: LockedPair, kind: RelationType) -> None:
    # A request that is accepted becomes a follow whatever its maker follows by then: the owner of the account
    # has no part in that. So there may be as many follows more as there may be requests.
    if pair.actor_following_count >= MOST_FOLLOWEES:
        raise TooManyFollowees
    if (
        kind is RelationType.REQUEST
        and count_requests_of(session, actor_id, limit=MOST_REQUESTS) >= MOST_REQUESTS
    ):
        raise TooManyFollowRequests


def end_follow(session: Session, *, follower_id: UUID, followee_id: UUID, now: datetime) -> None:
    """Remove a follow or a request to, and take back what was told of it; needs the pair's lock."""
    removed = remove_edges(
        session, from_user=follower_id, to_user=followee_id, relation_types=tuple(NEWS_OF_EDGES), now=now
    )
    for kind in sorted(removed):
        notifications.withdraw(
            session,
            recipient_id=followee_id,
            kind=NEWS_OF_EDGES[kind],
            actor_id=follower_id,
            object_id=None,
        )
    if RelationType.FOLLOW in removed:
        # Most were never asked for: there is nothing to take back then.
        notifications.withdraw(
            session,
            recipient_id=follower_id,
            kind=NotificationKind.FOLLOW_ACCEPTED,
            actor_id=followee_id,
            object_id=None,
        )


def unfollow_account(session: Session, *, actor_id: UUID, followee_id: UUID, now: datetime) -> Relationship:
    """No longer follow a person, nor ask to.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=followee_id)
    if pair.relationship.following or pair.relationship.requested:
        end_follow(session, follower_id=actor_id, followee_id=followee_id, now=now)
    return replace(pair.relationship, following=False, requested=False)


def remove_follower(session: Session, *, actor_id: UUID, follower_id: UUID, now: datetime) -> Relationship:
    """Have a person no longer follow the actor, nor ask to, as if they had ended it; they are not told.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=follower_id)
    if pair.relationship.followed_by or pair.relationship.requested_by:
        end_follow(session, follower_id=follower_id, followee_id=actor_id, now=now)
    return replace(pair.relationship, followed_by=False, requested_by=False)

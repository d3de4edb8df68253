"""What changes people's feeds: posts that come, change and go, and relations that do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from igloo_social.consumers.registry import consumers
from igloo_social.models.relations import RelationType
from igloo_social.operations import timeline

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from igloo_common.consumers import Delivery


@dataclass(frozen=True, kw_only=True)
class PostChanged:
    """A post came out, was changed, or was deleted."""

    post_id: UUID
    author_id: UUID


@dataclass(frozen=True, kw_only=True)
class RelationChanged:
    """An edge between two people came or went; which of the two, the database knows better by now."""

    from_user_id: UUID
    to_user_id: UUID
    relation_type: str


@consumers.on("social.post.published.v1", PostChanged)
def fan_out_published_post(session: Session, event: Delivery[PostChanged], now: datetime) -> None:
    """Put the post into the feeds of its author's followers."""
    timeline.fan_out(session, post_id=event.data.post_id, author_id=event.data.author_id, now=now)


@consumers.on("social.post.changed.v1", PostChanged)
def tell_of_changed_post(session: Session, event: Delivery[PostChanged], now: datetime) -> None:
    """Have the phones of the author's followers look at the post again."""
    timeline.tell_of_change(session, post_id=event.data.post_id, author_id=event.data.author_id, now=now)


@consumers.on("social.post.deleted.v1", PostChanged)
def remove_deleted_post(session: Session, event: Delivery[PostChanged], now: datetime) -> None:
    """Take the post out of the feeds of its author's followers."""
    timeline.remove_post(session, post_id=event.data.post_id, author_id=event.data.author_id, now=now)


@consumers.on("social.relation.changed.v1", RelationChanged)
def converge_feeds(session: Session, event: Delivery[RelationChanged], now: datetime) -> None:
    """Make the feeds of both people agree with what stands between them now."""
    edge = event.data
    if edge.relation_type == RelationType.FOLLOW:
        timeline.converge(session, follower_id=edge.from_user_id, author_id=edge.to_user_id, now=now)
    elif edge.relation_type == RelationType.BLOCK:
        timeline.remove_between(session, edge.from_user_id, edge.to_user_id, now=now)
    elif edge.relation_type == RelationType.MUTE:
        timeline.bring_back(session, owner_id=edge.from_user_id, author_id=edge.to_user_id, now=now)

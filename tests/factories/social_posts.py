"""Posts, media and events of the social service's feeds, for its tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import insert, text

from factories.social_people import LONG_AGO, make_people, relate
from igloo_common.consumers import Delivery
from igloo_common.event_views import decode_view
from igloo_common.ids import new_id
from igloo_social.consumers import consumers
from igloo_social.models.likes import LIKES
from igloo_social.models.posts import POSTS
from igloo_social.models.timeline import TIMELINE
from igloo_social.operations.post_counts import count_change
from igloo_social.operations.tags import agree_tags
from igloo_social.policies.captions import hashtags_of
from igloo_social.policies.posts import counted

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

RENDITIONS = [
    {"name": name, "width": size, "height": size, "content_type": "image/webp", "size_bytes": size * 100}
    for name, size in (("thumb", 320), ("feed", 1080), ("full", 2048))
]


def make_post(session: Session, author_id: UUID, *, at: datetime = LONG_AGO, **columns: Any) -> UUID:  # noqa: ANN401 - any columns of the table
    """Insert a published post, save where the columns say otherwise, and return its id."""
    post_id: UUID = columns.pop("id", None) or new_id()
    out_since = at if columns.get("state", "published") in {"published", "hidden"} else None
    values = {
        "id": post_id,
        "author_id": author_id,
        "caption": "Snow",
        "visibility": "public",
        "state": "published",
        "tags": list(hashtags_of(columns.get("caption", ""))),
        "created_at": at,
        "published_at": out_since,
        "rank_at": out_since,
        **columns,
    }
    session.execute(insert(POSTS).values(values))
    if values["tags"]:
        agree_tags(session, post_id)
    if not values.get("deleted_at"):
        count_change(session, author_id, after=counted(values["state"], values["visibility"]))
    return post_id


def put_in_feed(
    session: Session, owner_id: UUID, post_id: UUID, author_id: UUID, *, at: datetime = LONG_AGO
) -> None:
    """Insert a row of the timeline."""
    session.execute(
        insert(TIMELINE).values(owner_id=owner_id, published_at=at, post_id=post_id, author_id=author_id)
    )


def like(session: Session, user_id: UUID, post_id: UUID, *, at: datetime = LONG_AGO) -> None:
    """Insert a like, and count it."""
    session.execute(insert(LIKES).values(post_id=post_id, user_id=user_id, created_at=at))
    session.execute(text("UPDATE posts SET like_count = like_count + 1 WHERE id = :id"), {"id": post_id})


def add_post_noise(session: Session) -> None:
    """Add strangers who post, like and have feeds, so that a forgotten condition finds some of it."""
    strangers = make_people(session, 3)
    for number, stranger in enumerate(strangers):
        at = LONG_AGO + timedelta(hours=number)
        post_id = make_post(session, stranger, at=at)
        for other in strangers:
            put_in_feed(session, other, post_id, stranger, at=at)
            like(session, other, post_id, at=at)
    relate(session, strangers[0], "f", strangers[1])
    relate(session, strangers[2], "b", strangers[1])


def deliver(session: Session, event_type: str, *, now: datetime = LONG_AGO, **data: object) -> None:
    """Hand an event to the service as its inbox does: the payload as JSON, in the caller's transaction."""
    subscription = consumers.subscriptions[event_type]
    view = decode_view(subscription.view, orjson.loads(orjson.dumps(data)))
    event = Delivery(id=new_id(), type=event_type, key="test", sequence=1, time=now, data=view)
    subscription.handler(session, event, now)


def media_ready(session: Session, media_id: UUID, owner_id: UUID, **data: object) -> None:
    """Deliver `media.item.ready.v1`."""
    said: dict[str, Any] = {
        "width": 2048,
        "height": 1536,
        "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        "dominant_color": "#a1b2c3",
        "alt_text": None,
        "renditions": RENDITIONS,
        **data,
    }
    deliver(session, "media.item.ready.v1", media_id=media_id, owner_id=owner_id, **said)


def media_deleted(session: Session, media_id: UUID, owner_id: UUID) -> None:
    """Deliver `media.item.failed.v1`, as the media service says it of a photo that is deleted."""
    detail = "The photo was deleted before it was posted."
    deliver(
        session,
        "media.item.failed.v1",
        media_id=media_id,
        owner_id=owner_id,
        code="media_deleted",
        detail=detail,
    )


def media_failed(session: Session, media_id: UUID, owner_id: UUID) -> None:
    """Deliver `media.item.failed.v1`."""
    deliver(
        session,
        "media.item.failed.v1",
        media_id=media_id,
        owner_id=owner_id,
        code="unreadable",
        detail="The file is not an image.",
    )

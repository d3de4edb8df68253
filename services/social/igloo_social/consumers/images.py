"""What the media service says about media, as far as posts show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from igloo_social.consumers.registry import consumers
from igloo_social.models.images import MediaState
from igloo_social.operations.images import Medium, Rendition, apply_medium

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from igloo_common.consumers import Delivery


@dataclass(frozen=True, kw_only=True)
class FocalPoint:
    """Where the eye falls, from 0 to 1 across and down."""

    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class MediaReady:
    """A medium can be shown."""

    media_id: UUID
    owner_id: UUID
    width: int
    height: int
    blurhash: str
    dominant_color: str
    alt_text: str | None
    renditions: tuple[Rendition, ...]
    focal_point: FocalPoint | None = None


@dataclass(frozen=True, kw_only=True)
class MediaFailed:
    """A medium will never be shown."""

    media_id: UUID
    owner_id: UUID
    code: str
    detail: str


@consumers.on("media.item.ready.v1", MediaReady, superseded_by=["media.item.failed.v1"])
def attach_ready_media(session: Session, event: Delivery[MediaReady], now: datetime) -> None:
    """Give the medium to the post that waits for it."""
    said = event.data
    medium = Medium(
        media_id=said.media_id,
        owner_id=said.owner_id,
        state=MediaState.READY,
        width=said.width,
        height=said.height,
        blurhash=said.blurhash,
        dominant_color=said.dominant_color,
        alt_text=said.alt_text,
        focal_x=said.focal_point.x if said.focal_point else None,
        focal_y=said.focal_point.y if said.focal_point else None,
        renditions=said.renditions,
    )
    apply_medium(session, medium, now=now)


@consumers.on("media.item.failed.v1", MediaFailed, superseded_by=["media.item.ready.v1"])
def fail_posts_of_failed_media(session: Session, event: Delivery[MediaFailed], now: datetime) -> None:
    """End the posts that waited for the medium, so that their author sees why."""
    said = event.data
    medium = Medium(
        media_id=said.media_id,
        owner_id=said.owner_id,
        state=MediaState.FAILED,
        failure_code=said.code,
        failure_detail=said.detail,
    )
    apply_medium(session, medium, now=now)

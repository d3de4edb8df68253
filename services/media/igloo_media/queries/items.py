"""Reads of media items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from igloo_common.database import Reader
from igloo_common.errors import NotFound
from igloo_common.statements import Statement
from igloo_media.models import MediaItem, MediaState, Rendition

ITEM = (
    MediaItem.id,
    MediaItem.state,
    MediaItem.failure_code,
    MediaItem.failure_detail,
    MediaItem.width,
    MediaItem.height,
    MediaItem.blurhash,
    MediaItem.dominant_color,
    MediaItem.alt_text,
    MediaItem.focal_x,
    MediaItem.focal_y,
    MediaItem.size_bytes,
    MediaItem.content_type,
    MediaItem.frames,
    MediaItem.receipt,
    MediaItem.withheld_at,
    MediaItem.created_at,
)


class MediaNotFound(NotFound):
    """No such media item, or none that this person may know of."""


@dataclass(frozen=True, kw_only=True)
class ItemWithRenditions:
    """A media item and its sizes, which are none before it is ready."""

    item: Row[Any]
    renditions: list[Row[Any]]


def find_item(reader: Reader, *, owner_id: UUID, media_id: UUID) -> ItemWithRenditions:
    """Return one media item for its owner.

    Raises:
        MediaNotFound: there is none, it is deleted, or it is somebody else's.
    """
    item = reader.execute(
        select(*ITEM).where(
            MediaItem.id == media_id, MediaItem.owner_id == owner_id, MediaItem.state != MediaState.DELETED
        )
    ).one_or_none()
    if item is None:
        raise MediaNotFound("There is no such photo.")
    return ItemWithRenditions(item=item, renditions=find_renditions(reader, media_id=media_id))


def find_renditions(reader: Reader, *, media_id: UUID) -> list[Row[Any]]:
    """Return a media item's sizes, the smallest first."""
    sizes = (
        Rendition.name,
        Rendition.width,
        Rendition.height,
        Rendition.content_type,
        Rendition.size_bytes,
        Rendition.version,
        Rendition.is_animated,
    )
    return list(
        reader.execute(select(*sizes).where(Rendition.media_id == media_id).order_by(Rendition.size_bytes))
    )


def shown_version(reader: Reader, *, media_id: UUID, name: str) -> int | None:
    """Return the newest version of a rendition; none when there is none, or the photo may not be shown."""
    row = _SHOWN.row(reader, {"media_id": media_id, "name": name})
    return None if row is None else row[0]


_SHOWN = Statement("""
SELECT renditions.version FROM renditions JOIN media_items ON media_items.id = renditions.media_id
WHERE renditions.media_id = %(media_id)s AND renditions.name = %(name)s AND media_items.state = 'ready'
AND media_items.withheld_at IS NULL
""")

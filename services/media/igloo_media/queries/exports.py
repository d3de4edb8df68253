"""Reads of everything that is held about a person's photos, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select

from igloo_common.database import Reader
from igloo_media.models import MediaItem, MediaState, Rendition

HELD = (
    MediaItem.id,
    MediaItem.client_id,
    MediaItem.state,
    MediaItem.content_type,
    MediaItem.size_bytes,
    MediaItem.sha256,
    MediaItem.content_sha256,
    MediaItem.alt_text,
    MediaItem.focal_x,
    MediaItem.focal_y,
    MediaItem.width,
    MediaItem.height,
    MediaItem.frames,
    MediaItem.blurhash,
    MediaItem.dominant_color,
    MediaItem.receipt,
    MediaItem.withheld_at,
    MediaItem.post_id,
    MediaItem.failure_code,
    MediaItem.failure_detail,
    MediaItem.created_at,
    MediaItem.uploaded_at,
    MediaItem.finished_at,
    MediaItem.closed_at,
)
SIZES = (
    Rendition.name,
    Rendition.width,
    Rendition.height,
    Rendition.content_type,
    Rendition.size_bytes,
    Rendition.is_animated,
)


def list_held(reader: Reader, owner_id: UUID, *, after: UUID | None, limit: int) -> list[Row[Any]]:
    """Return the next items in the order of their ids, deleted ones that are not forgotten yet included."""
    held = select(*HELD).where(*_after(owner_id, after))
    return list(reader.execute(held.order_by(MediaItem.id).limit(limit)))


def list_ready_ids(reader: Reader, owner_id: UUID, *, after: UUID | None, limit: int) -> list[UUID]:
    """Return the next photos that can be shown, in the order of their ids."""
    ready = select(MediaItem.id).where(*_after(owner_id, after), MediaItem.state == MediaState.READY)
    return list(reader.execute(ready.order_by(MediaItem.id).limit(limit)).scalars())


def find_renditions_of(reader: Reader, media_ids: Collection[UUID]) -> dict[UUID, list[Row[Any]]]:
    """Return the sizes of several items, the smallest first."""
    sizes: dict[UUID, list[Row[Any]]] = defaultdict(list)
    rows = reader.execute(
        select(Rendition.media_id, *SIZES)
        .where(Rendition.media_id.in_(media_ids))
        .order_by(Rendition.size_bytes)
    )
    for row in rows:
        sizes[row.media_id].append(row)
    return sizes


def _after(owner_id: UUID, after: UUID | None) -> list[ColumnElement[bool]]:
    own = [MediaItem.owner_id == owner_id]
    return own if after is None else [*own, MediaItem.id > after]

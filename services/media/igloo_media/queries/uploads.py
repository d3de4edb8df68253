"""Reads of uploads, always for their owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, literal, select, tuple_

from igloo_common.database import Reader
from igloo_common.errors import NotFound
from igloo_common.pagination import Cursor
from igloo_media.models import MediaItem, MediaState

UPLOAD = (
    MediaItem.id,
    MediaItem.owner_id,
    MediaItem.client_id,
    MediaItem.state,
    MediaItem.content_type,
    MediaItem.size_bytes,
    MediaItem.alt_text,
    MediaItem.created_at,
    MediaItem.expires_at,
    MediaItem.failure_code,
    MediaItem.failure_detail,
)
# What the uploads API calls processing is two states inside.
STATES = {
    "pending": (MediaState.PENDING,),
    "processing": (MediaState.UPLOADED, MediaState.PROCESSING),
    "ready": (MediaState.READY,),
    "failed": (MediaState.FAILED,),
    "expired": (MediaState.EXPIRED,),
}


class UploadNotFound(NotFound):
    """No such upload of this person."""


@dataclass(frozen=True, kw_only=True)
class UploadPage:
    """Uploads, newest first, and whether there are more in the direction that was read."""

    uploads: list[Row[Any]]
    more: bool


def find_upload(reader: Reader, *, owner_id: UUID, upload_id: UUID) -> Row[Any]:
    """Return one upload.

    Raises:
        UploadNotFound: there is none, it is deleted, or it is somebody else's.
    """
    upload = reader.execute(_uploads_of(owner_id).where(MediaItem.id == upload_id)).one_or_none()
    if upload is None:
        raise UploadNotFound("There is no such upload.")
    return upload


def find_uploads(reader: Reader, *, owner_id: UUID, upload_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Return uploads in the order of the ids."""
    found = {
        upload.id: upload
        for upload in reader.execute(_uploads_of(owner_id).where(MediaItem.id.in_(upload_ids)))
    }
    return [found[upload_id] for upload_id in upload_ids]


def list_uploads(
    reader: Reader, *, owner_id: UUID, state: str | None, cursor: Cursor | None, limit: int
) -> UploadPage:
    """Return a page of uploads, newest first, in one state or in all."""
    uploads = _uploads_of(owner_id)
    if state is not None:
        uploads = uploads.where(MediaItem.state.in_(STATES[state]))
    place = tuple_(MediaItem.created_at, MediaItem.id)
    newer = cursor is not None and cursor.direction == "newer"
    if cursor is not None:
        edge = tuple_(literal(cursor.at), literal(cursor.id))
        uploads = uploads.where(place > edge if newer else place < edge)
    order = (MediaItem.created_at, MediaItem.id)
    uploads = uploads.order_by(*(column.asc() if newer else column.desc() for column in order))
    rows = list(reader.execute(uploads.limit(limit + 1)))
    page = rows[:limit]
    return UploadPage(uploads=page[::-1] if newer else page, more=len(rows) > limit)


def _uploads_of(owner_id: UUID) -> Select[Any]:
    return select(*UPLOAD).where(MediaItem.owner_id == owner_id, MediaItem.state != MediaState.DELETED)

"""Reads of uploads, always for their owner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, literal, literal_column, select, tuple_

from igloo_common.database import Reader
from igloo_common.errors import NotFound
from igloo_common.pagination import Cursor
from igloo_common.statements import Statement
from igloo_media.models import MediaItem, MediaState

UPLOAD = (
    MediaItem.id,
    MediaItem.owner_id,
    MediaItem.client_id,
    MediaItem.state,
    MediaItem.content_type,
    MediaItem.size_bytes,
    MediaItem.sha256,
    MediaItem.alt_text,
    MediaItem.focal_x,
    MediaItem.focal_y,
    MediaItem.created_at,
    MediaItem.expires_at,
    MediaItem.multipart_id,
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


class Upload(NamedTuple):
    """What is shown of an upload: the columns of UPLOAD, by name."""

    id: UUID
    owner_id: UUID
    client_id: str | None
    state: str
    content_type: str
    size_bytes: int
    sha256: bytes | None
    alt_text: str | None
    focal_x: float | None
    focal_y: float | None
    created_at: datetime
    expires_at: datetime
    multipart_id: str | None = None
    failure_code: str | None = None
    failure_detail: str | None = None


class UploadNotFound(NotFound):
    """No such upload of this person."""


@dataclass(frozen=True, kw_only=True)
class UploadPage:
    """Uploads, newest first, and whether there are more in the direction that was read."""

    uploads: list[Upload]
    more: bool


def find_upload(reader: Reader, *, owner_id: UUID, upload_id: UUID, lock: bool = False) -> Upload:
    """Return one upload; `lock` keeps others from changing it until the transaction ends.

    Raises:
        UploadNotFound: there is none, it is deleted, or it is somebody else's.
    """
    statement = _LOCKED if lock else _ONE
    row = statement.row(reader, {"owner_id": owner_id, "upload_id": upload_id})
    if row is None:
        raise UploadNotFound("There is no such upload.")
    return Upload(*row)


def find_uploads(reader: Reader, *, owner_id: UUID, upload_ids: Collection[UUID]) -> list[Upload]:
    """Return those of several uploads that this person has, in no order."""
    rows = _SOME.rows(reader, {"owner_id": owner_id, "upload_ids": list(upload_ids)})
    return [Upload(*row) for row in rows]


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
    rows = [Upload(*row) for row in reader.execute(uploads.limit(limit + 1))]
    page = rows[:limit]
    return UploadPage(uploads=page[::-1] if newer else page, more=len(rows) > limit)


def _uploads_of(owner_id: UUID) -> Select[Any]:
    return select(*UPLOAD).where(MediaItem.owner_id == owner_id, MediaItem.state != MediaState.DELETED)


_UPLOAD = select(*UPLOAD).where(
    MediaItem.id == bindparam("upload_id", type_=Uuid()),
    MediaItem.owner_id == bindparam("owner_id", type_=Uuid()),
    MediaItem.state != literal_column(f"'{MediaState.DELETED}'"),
)
_ONE = Statement(_UPLOAD)
_SOME = Statement(
    select(*UPLOAD).where(
        MediaItem.id == any_(bindparam("upload_ids", type_=ARRAY(Uuid()))),
        MediaItem.owner_id == bindparam("owner_id", type_=Uuid()),
        MediaItem.state != literal_column(f"'{MediaState.DELETED}'"),
    )
)
_LOCKED = Statement(_UPLOAD.with_for_update())

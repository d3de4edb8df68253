"""Asking for upload targets, and reporting an upload as done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_common.errors import Conflict, Gone
from igloo_common.ids import new_id
from igloo_media.models import MediaItem, MediaState
from igloo_media.models.items import CLIENT_ID_IN_USE
from igloo_media.operations.items import announce_failure, close_item, lock_item
from igloo_media.policies.items import EXPIRED_CODE, EXPIRED_DETAIL
from igloo_media.policies.uploads import FORGOTTEN_AFTER, TARGET_LIFETIME
from igloo_media.queries.items import MediaNotFound
from igloo_media.queries.uploads import UploadNotFound

UPLOADED_CHANNEL = "media_uploaded"


class ClientIdReused(Conflict):
    """A client_id was sent again for a file that differs from the first."""


class UploadMissing(Conflict):
    """Nothing has arrived in S3 yet: send the file, then complete."""


class UploadSizeMismatch(Conflict):
    """What arrived has another size than was announced."""


class UploadExpired(Gone):
    """The file did not arrive in time: ask for a new target."""


@dataclass(frozen=True, kw_only=True)
class RequestedFile:
    """A file that a client wants to upload."""

    content_type: str
    size_bytes: int
    client_id: str | None = None
    sha256: bytes | None = None
    alt_text: str | None = None


def request_uploads(
    session: Session, *, owner_id: UUID, files: Sequence[RequestedFile], now: datetime
) -> list[UUID]:
    """Make one upload a file and return their ids in order; a known client_id returns the upload it named.

    Raises:
        ClientIdReused: a client_id came again with another type, size or checksum.
    """
    rows = [_new_row(owner_id, file, now) for file in files]
    # The constraint decides which of two retries at once is the first: no look before the leap.
    made = session.scalars(
        insert(MediaItem)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["owner_id", "client_id"], index_where=CLIENT_ID_IN_USE)
        .returning(MediaItem.id)
    )
    made_ids = set(made)
    return [
        row["id"] if row["id"] in made_ids else _known_upload(session, owner_id, file, now=now)
        for row, file in zip(rows, files, strict=True)
    ]


def complete_upload(
    session: Session, *, owner_id: UUID, upload_id: UUID, stored_bytes: int | None, now: datetime
) -> None:
    """Take an upload as arrived and have it processed; done before, it changes nothing.

    `stored_bytes` is the object's size, looked up before the transaction; none when there is no object.

    Raises:
        UploadNotFound: there is none, it is deleted, or it is somebody else's.
        UploadMissing: nothing has arrived.
        UploadSizeMismatch: what arrived is not the file that was announced.
        UploadExpired: nothing has arrived and nothing can any more.
    """
    item = _locked_upload(session, owner_id, upload_id)
    if item.state == MediaState.EXPIRED:
        raise UploadExpired("The upload has expired: ask for a new one.")
    if item.state != MediaState.PENDING:
        return
    if stored_bytes is None and now > item.expires_at:
        raise UploadExpired("The upload has expired: ask for a new one.")
    if stored_bytes is None:
        raise UploadMissing("The file is not in S3 yet: send it to the target first.")
    if stored_bytes != item.size_bytes:
        raise UploadSizeMismatch(f"{stored_bytes} bytes arrived where {item.size_bytes} were announced.")
    promote_upload(session, item, now=now)


def promote_upload(session: Session, item: MediaItem, *, now: datetime) -> None:
    """Queue an arrived upload for processing and wake a worker; the caller holds its row lock."""
    item.state, item.uploaded_at, item.due_at = MediaState.UPLOADED, now, now
    session.flush()
    session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": UPLOADED_CHANNEL})


def expire_upload(session: Session, item: MediaItem, *, now: datetime) -> None:
    """Give up on an upload that never came, and tell whoever waits for it; the caller holds its row lock."""
    close_item(session, item, now=now, state=MediaState.EXPIRED)
    announce_failure(session, item, code=EXPIRED_CODE, detail=EXPIRED_DETAIL, now=now)


def _new_row(owner_id: UUID, file: RequestedFile, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "owner_id": owner_id,
        "client_id": file.client_id,
        "state": MediaState.PENDING,
        "content_type": file.content_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "alt_text": file.alt_text,
        "created_at": now,
        "expires_at": now + TARGET_LIFETIME,
        "due_at": now + FORGOTTEN_AFTER,
    }


def _known_upload(session: Session, owner_id: UUID, file: RequestedFile, *, now: datetime) -> UUID:
    """Return the upload that a client_id named before; one still pending gets its full time again."""
    item = session.scalars(
        select(MediaItem)
        .where(
            MediaItem.owner_id == owner_id,
            MediaItem.client_id == file.client_id,
            MediaItem.state.not_in((MediaState.EXPIRED, MediaState.DELETED)),
        )
        .with_for_update()
    ).one()
    if (item.content_type, item.size_bytes, item.sha256) != (file.content_type, file.size_bytes, file.sha256):
        raise ClientIdReused(f"The client_id {file.client_id!r} names another file.")
    if item.state == MediaState.PENDING:
        item.expires_at = now + TARGET_LIFETIME
        session.flush()
    return item.id


def _locked_upload(session: Session, owner_id: UUID, upload_id: UUID) -> MediaItem:
    try:
        return lock_item(session, owner_id=owner_id, media_id=upload_id)
    except MediaNotFound as error:
        raise UploadNotFound("There is no such upload.") from error

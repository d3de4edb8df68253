"""Files that arrive in parts: which upload in parts counts, and giving it up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from igloo_common.errors import Conflict
from igloo_media.models import MediaItem, MediaState
from igloo_media.operations.abandonments import abandon_parts, leave_parts
from igloo_media.operations.uploads import UploadExpired
from igloo_media.policies.uploads import may_come_in_parts
from igloo_media.queries.uploads import Upload, find_upload


class TooSmallForParts(Conflict):
    """The file is small enough to be sent whole, to the upload's target."""


class NotInParts(Conflict):
    """No parts were begun for this upload, or they were given up: begin them."""


class UploadArrived(Conflict):
    """The file has arrived whole: there is nothing more to send."""


def check_may_send(upload: Upload, *, now: datetime) -> None:
    """Refuse parts of a file that cannot or need not be sent in parts.

    Raises:
        TooSmallForParts, UploadArrived, UploadExpired: as their names say.
    """
    if not may_come_in_parts(upload.size_bytes):
        raise TooSmallForParts("The file is small: send it whole to the upload's target.")
    if upload.state == MediaState.EXPIRED or (
        upload.state == MediaState.PENDING and now >= upload.expires_at
    ):
        raise UploadExpired("The upload has expired: ask for it again.")
    if upload.state != MediaState.PENDING:
        raise UploadArrived("The file has arrived: there is nothing more to send.")


def keep_parts(
    session: Session, *, owner_id: UUID, upload_id: UUID, begun: str, instead_of: str | None, now: datetime
) -> bool:
    """Keep the upload in parts that S3 has just begun, and have it aborted when another one counts.

    `instead_of` is the one that the caller saw: none, or one that S3 has forgotten. False when somebody else
    was first, or the upload waits for its file no more.
    """
    kept = session.scalars(
        update(MediaItem)
        .where(
            MediaItem.id == upload_id,
            MediaItem.owner_id == owner_id,
            MediaItem.state == MediaState.PENDING,
            MediaItem.multipart_id.is_not_distinct_from(instead_of),
        )
        .values(multipart_id=begun)
        .returning(MediaItem.id)
    )
    if kept.one_or_none() is not None:
        return True
    abandon_parts(session, owner_id=owner_id, upload_id=upload_id, multipart_id=begun, now=now)
    return False


def give_up_parts(session: Session, *, owner_id: UUID, upload_id: UUID, now: datetime) -> None:
    """Give up what was sent in parts; done before, or with nothing begun, it changes nothing.

    Raises:
        UploadNotFound: there is none, it is deleted, or it is somebody else's.
    """
    find_upload(session, owner_id=owner_id, upload_id=upload_id, lock=True)
    leave_parts(session, owner_id=owner_id, upload_id=upload_id, now=now)

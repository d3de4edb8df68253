"""Reporting uploads as done, one or many at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.errors import Conflict, Gone, IglooError, NotFound
from igloo_media.models import MediaState
from igloo_media.operations.abandonments import leave_parts
from igloo_media.operations.uploads import UploadExpired, promote_upload
from igloo_media.policies.uploads import Arrival
from igloo_media.queries.uploads import Upload, find_upload


class UploadMissing(Conflict):
    """Nothing has arrived in S3 yet: send the file, then complete."""


class PartsMissing(Conflict):
    """Some parts have not arrived in S3 yet: send them, then complete."""

    def __init__(self, missing: Sequence[int]) -> None:
        numbers = ", ".join(str(number) for number in missing)
        super().__init__(f"These parts are not in S3 yet: {numbers}.", extra={"missing": list(missing)})


class UploadSizeMismatch(Conflict):
    """What arrived has another size than was announced."""


def complete_upload(
    session: Session, *, owner_id: UUID, upload_id: UUID, arrival: Arrival, now: datetime
) -> Upload:
    """Take an upload as arrived and have it processed; done before, it changes nothing.

    `arrival` is what S3 has, looked up before the transaction.

    Raises:
        UploadNotFound: there is none, it is deleted, or it is somebody else's.
        UploadMissing: nothing has arrived.
        PartsMissing: it is being sent in parts, and some have not arrived.
        UploadSizeMismatch: what arrived is not the file that was announced.
        UploadExpired: nothing has arrived and nothing can any more.
    """
    upload = find_upload(session, owner_id=owner_id, upload_id=upload_id, lock=True)
    if upload.state == MediaState.EXPIRED:
        raise UploadExpired("The upload has expired: ask for a new one.")
    if upload.state != MediaState.PENDING:
        return upload
    _check_arrival(upload, arrival, now=now)
    promote_upload(session, upload_id, now=now)
    if upload.multipart_id is not None:
        leave_parts(session, owner_id=owner_id, upload_id=upload_id, now=now)
    return upload._replace(state=MediaState.UPLOADED, multipart_id=None)


def complete_uploads(
    session: Session,
    *,
    owner_id: UUID,
    upload_ids: Collection[UUID],
    arrivals: Mapping[UUID, Arrival | IglooError],
    now: datetime,
) -> dict[UUID, Upload | IglooError]:
    """Complete several, each by itself: one that is refused keeps no other from being processed.

    `arrivals` has what S3 said of those that waited for their files, or why it could not say it.
    """
    # In one order, whatever order two phones list them in, so that they wait for one another.
    return {
        upload_id: _outcome(
            session, owner_id=owner_id, upload_id=upload_id, arrival=arrivals.get(upload_id), now=now
        )
        for upload_id in sorted(set(upload_ids))
    }


def _outcome(
    session: Session, *, owner_id: UUID, upload_id: UUID, arrival: Arrival | IglooError | None, now: datetime
) -> Upload | IglooError:
    if isinstance(arrival, IglooError):
        return arrival
    try:
        return complete_upload(
            session, owner_id=owner_id, upload_id=upload_id, arrival=arrival or Arrival(), now=now
        )
    except (NotFound, Conflict, Gone) as refusal:
        # Each is raised before anything is written: the transaction goes on.
        return refusal


def _check_arrival(upload: Upload, arrival: Arrival, *, now: datetime) -> None:
    if arrival.stored_bytes is None and now > upload.expires_at:
        raise UploadExpired("The upload has expired: ask for a new one.")
    if arrival.missing_parts:
        raise PartsMissing(arrival.missing_parts)
    if arrival.stored_bytes is None:
        raise UploadMissing("The file is not in S3 yet: send it to the target first.")
    if arrival.stored_bytes != upload.size_bytes:
        detail = f"{arrival.stored_bytes} bytes arrived where {upload.size_bytes} were announced."
        raise UploadSizeMismatch(detail)

"""Photos in one request, for clients that send a form and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Final
from uuid import UUID

import orjson
from flask import Response
from sqlalchemy.orm import Session

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.idempotency import KEY_PARAMETER, Errand, errand
from igloo_common.rate_limits import RATE_LIMIT_HEADERS, announce
from igloo_common.seats import Seats
from igloo_common.storage_errors import StorageUnavailable
from igloo_common.streamed_forms import StreamedForm, read_form, room_on_disk
from igloo_common.web import Blueprint, body_limit, json_response, provided
from igloo_common.work_folders import work_folder
from igloo_media.models import MediaState
from igloo_media.operations.completions import complete_upload
from igloo_media.operations.items import delete_item
from igloo_media.operations.uploads import RequestedFile, request_uploads
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import Arrival
from igloo_media.queries.uploads import Upload, UploadNotFound, find_upload
from igloo_media.schemas.media_forms import FORM_DOCUMENT, MAX_FORM_BYTES, RULES, requested_files
from igloo_media.schemas.uploads import UploadsSchema, present_uploads
from igloo_media.schemas.usage import UPLOADS_LIMITED
from igloo_media.settings import Settings
from igloo_media.storage import Storage

# Together with the reading of the form less than the gateway waits for an answer (60 s).
STORING_SECONDS: Final = 40.0

blp = Blueprint("media_forms", __name__, description="Photos on their way in, in one request.")


@blp.route("/v1/media", methods=["POST"])
# Before anybody is refused: what a stranger sends is read to its end too, or they would not see the refusal.
@body_limit(MAX_FORM_BYTES)
@access.user
@blp.doc(requestBody=FORM_DOCUMENT, parameters=[KEY_PARAMETER])
@blp.response(201, UploadsSchema, headers=RATE_LIMIT_HEADERS)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(413, "REQUEST_ENTITY_TOO_LARGE")
@blp.alt_response(415, "UNSUPPORTED_MEDIA_TYPE")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
@blp.alt_response(429, **UPLOADS_LIMITED)
@blp.alt_response(503, "SERVICE_UNAVAILABLE")
def upload_media() -> Response:
    """Upload 1 to 10 photos in one form, and have them processed.

    The simple way: `curl -F files=@hare.jpg -F files=@fox.heic …`. An app that wants to go on where a lost
    connection stopped it asks for targets instead (`POST /v1/uploads`). `alt_text`, `focal_point`,
    `client_id` and `sha256` may be given once for each file, in the order of the files.

    All files are taken or none. 422 `validation_failed` points to each that is wrong: `/files/2` with
    `unsupported_format` or `empty_file`, `/sha256/0` with `checksum_mismatch`. 413 `file_too_large` points to
    the first file of more than 25 MB. 400 `malformed_form`: it ends early. 409 `client_id_reused`,
    `media_refused` (a moderator took that photo down) or `quota_exceeded`. 410 `account_deleted`.

    503 `storage_unavailable`, `no_room_on_disk` or `all_seats_taken`: after Retry-After, and after a lost
    answer too, send the form again with the same Idempotency-Key, or the same `client_id`s. What was begun is
    finished then, and nothing is there twice.
    """
    with provided(Seats).taken(), room_on_disk(), work_folder() as folder:
        form = read_form(folder, RULES)
        files = requested_files(form)
        with errand(form.fingerprint) as trip:
            return _taken(trip, form, files)


def _taken(trip: Errand, form: StreamedForm, files: Sequence[RequestedFile]) -> Response:
    """Make the rows, then put the files into S3 outside of any transaction, then have them processed.

    Whoever dies in between leaves pending rows, which the sweeper settles as those of any other upload.
    """
    owner_id = current_identity().user_id
    with transaction() as session:
        found = trip.resume(session)
        if isinstance(found, Response):
            return found
        uploads = _begun_before(session, owner_id, found) or _requested(session, owner_id, files)
        trip.note(session, orjson.dumps([upload.id for upload in uploads]))
    try:
        _store(form, uploads)
    except StorageUnavailable:
        if trip.place is None:
            _give_up_nameless(owner_id, uploads)
        raise
    with transaction() as session:
        response = _completed(session, owner_id, uploads)
        trip.keep(session, response)
    return response


def _begun_before(session: Session, owner_id: UUID, notes: bytes | None) -> list[Upload]:
    """Return what an earlier attempt made; nothing when some of it cannot be finished any more."""
    ids = [UUID(each) for each in orjson.loads(notes or b"[]")]
    try:
        uploads = [find_upload(session, owner_id=owner_id, upload_id=each) for each in ids]
    except UploadNotFound:
        return []
    return [] if any(upload.state == MediaState.EXPIRED for upload in uploads) else uploads


def _requested(session: Session, owner_id: UUID, files: Sequence[RequestedFile]) -> list[Upload]:
    limits = provided(Settings).person
    asked = request_uploads(session, owner_id=owner_id, files=files, limits=limits, now=utc_now())
    announce(asked.allowance)
    return asked.uploads


def _store(form: StreamedForm, uploads: Sequence[Upload]) -> None:
    """Put the files into S3 whose uploads wait for them; one that is under way is not sent again.

    Raises:
        StorageUnavailable: S3 does not take them, or not in time.
    """
    storage, until = provided(Storage), monotonic() + STORING_SECONDS
    for upload, file in zip(uploads, form.files, strict=True):
        if upload.state == MediaState.PENDING:
            key, seconds = original_key(upload.owner_id, upload.id), until - monotonic()
            storage.upload(key, file.path, content_type=upload.content_type, seconds=seconds)


def _give_up_nameless(owner_id: UUID, uploads: Sequence[Upload]) -> None:
    """Delete the uploads that no retry could name: it will make others, and these would count as open."""
    with transaction() as session:
        for upload in uploads:
            if upload.client_id is None:
                delete_item(session, owner_id=owner_id, media_id=upload.id, now=utc_now())


def _completed(session: Session, owner_id: UUID, uploads: Sequence[Upload]) -> Response:
    now, done = utc_now(), {}
    # In one order, whatever that of the files: two forms with the same files lock no rows crosswise.
    for upload in sorted(uploads, key=lambda upload: upload.id):
        arrival = Arrival(stored_bytes=upload.size_bytes)
        done[upload.id] = complete_upload(
            session, owner_id=owner_id, upload_id=upload.id, arrival=arrival, now=now
        )
    shown = present_uploads([done[upload.id] for upload in uploads], storage=provided(Storage), now=now)
    return json_response({"data": shown}, status=201)

"""Uploads reported as done: one, or a whole batch in one call."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.errors import IglooError
from igloo_common.object_store import StorageUnavailable
from igloo_common.web import Blueprint, json_response, provided
from igloo_media import operations, queries
from igloo_media.models import MediaState
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import Arrival
from igloo_media.queries.uploads import Upload
from igloo_media.schemas.completions import CompleteUploadsSchema, CompletionsSchema, present_completions
from igloo_media.schemas.uploads import UploadSchema, present_upload
from igloo_media.storage import LOOKUPS_AT_ONCE, Storage

blp = Blueprint("completions", __name__, description="Photos that have been sent.")


@blp.route("/v1/uploads/<uuid:upload_id>/complete", methods=["POST"])
@access.user
@access.about(upload_id="upload.own")
@blp.response(200, UploadSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(410, "GONE")
@blp.alt_response(503, "SERVICE_UNAVAILABLE")
def complete_upload(upload_id: UUID) -> Response:
    """Say that the file has been sent; its photo is then processed. Saying it again changes nothing.

    A file that was sent in parts is put together first. 409 `upload_missing`: S3 has no file yet;
    `parts_missing`: nor some of its parts, whose numbers `missing` lists; `upload_size_mismatch`: another
    file came. 410 `upload_expired`: the file can no longer come. 503 `storage_unavailable`: S3 cannot be
    asked, say it again after Retry-After.
    """
    owner_id, storage = current_identity().user_id, provided(Storage)
    with reading() as reader:
        known = queries.uploads.find_upload(reader, owner_id=owner_id, upload_id=upload_id)
    # S3 is asked here, outside the transaction; the operation looks at the state again under its lock.
    arrival = _arrival(storage, known) if known.state == MediaState.PENDING else Arrival()
    now = utc_now()
    with transaction() as session:
        upload = operations.completions.complete_upload(
            session, owner_id=owner_id, upload_id=upload_id, arrival=arrival, now=now
        )
    return json_response(present_upload(upload, storage=storage, now=now))


@blp.route("/v1/uploads/complete", methods=["POST"])
@access.user
@access.about(upload_ids="upload.listed")
@blp.arguments(CompleteUploadsSchema)
@blp.response(200, CompletionsSchema)
def complete_uploads(body: dict[str, Any]) -> Response:
    """Say that 1 to 10 files have been sent: each is answered by itself, in the order named.

    One that is missing, unknown or too late keeps no other from being processed; its `problem` is what it
    would be refused with alone. Saying it again changes nothing.
    """
    owner_id, storage, wanted = current_identity().user_id, provided(Storage), body["upload_ids"]
    with reading() as reader:
        known = queries.uploads.find_uploads(reader, owner_id=owner_id, upload_ids=wanted)
    arrivals = _arrivals(storage, [upload for upload in known if upload.state == MediaState.PENDING])
    now = utc_now()
    with transaction() as session:
        outcomes = operations.completions.complete_uploads(
            session, owner_id=owner_id, upload_ids=wanted, arrivals=arrivals, now=now
        )
    return json_response({"data": present_completions(wanted, outcomes, storage=storage, now=now)})


def _arrivals(storage: Storage, uploads: Sequence[Upload]) -> dict[UUID, Arrival | IglooError]:
    """Ask S3 about several uploads at once: one after the other, its answers would add up."""
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as pool:
        answers = pool.map(partial(_arrival_or_outage, storage), uploads)
    return {upload.id: answer for upload, answer in zip(uploads, answers, strict=True)}


def _arrival_or_outage(storage: Storage, upload: Upload) -> Arrival | IglooError:
    try:
        return _arrival(storage, upload)
    except StorageUnavailable as outage:
        return outage


def _arrival(storage: Storage, upload: Upload) -> Arrival:
    return storage.arrival_of(
        original_key(upload.owner_id, upload.id),
        size_bytes=upload.size_bytes,
        multipart_id=upload.multipart_id,
    )

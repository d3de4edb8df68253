"""Large files in parts: a lost connection costs one part, not the whole photo."""

from __future__ import annotations

from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_parts import PartsGone
from igloo_common.web import Blueprint, json_response, provided
from igloo_media import operations
from igloo_media.operations.parts import NotInParts, check_may_send
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import missing_parts
from igloo_media.queries.uploads import Upload, find_upload
from igloo_media.schemas.parts import PartsSchema, present_parts
from igloo_media.storage import Storage

blp = Blueprint("parts", __name__, description="Large photos on their way in, part by part.")


@blp.route("/v1/uploads/<uuid:upload_id>/parts", methods=["POST"])
@access.user
@access.about(upload_id="upload.own")
@blp.response(200, PartsSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(410, "GONE")
@blp.alt_response(503, "SERVICE_UNAVAILABLE")
def begin_parts(upload_id: UUID) -> Response:
    """Begin to send a file of more than 8,000,000 bytes in parts, or go on with those that were begun.

    PUT each part to its target, in any order and at once if you like, each again as often as need be; then
    complete the upload as ever, which puts them together. What has arrived stays when the app is killed.

    409 `too_small_for_parts`: send it whole; `upload_arrived`: it is there already. 410 `upload_expired`: ask
    for the upload again.
    """
    upload = _sendable(upload_id)
    missing = _missing(upload)
    if missing is None:
        upload = _begun(upload)
        missing = _missing(upload)
    return _answer(upload, missing)


@blp.route("/v1/uploads/<uuid:upload_id>/parts", methods=["GET"])
@access.user
@access.about(upload_id="upload.own")
@blp.response(200, PartsSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(410, "GONE")
@blp.alt_response(503, "SERVICE_UNAVAILABLE")
def list_parts(upload_id: UUID) -> Response:
    """Tell which parts have arrived, with fresh targets for the others.

    409 `not_in_parts`: begin them; the other refusals are those of beginning.
    """
    upload = _sendable(upload_id)
    return _answer(upload, _missing(upload))


@blp.route("/v1/uploads/<uuid:upload_id>/parts", methods=["DELETE"])
@access.user
@access.about(upload_id="upload.own")
@blp.response(204)
def give_up_parts(upload_id: UUID) -> Response:
    """Give up what was sent in parts: the upload's own target takes the whole file, or begin anew."""
    with transaction() as session:
        operations.parts.give_up_parts(
            session, owner_id=current_identity().user_id, upload_id=upload_id, now=utc_now()
        )
    return Response(status=204)


def _sendable(upload_id: UUID) -> Upload:
    with reading() as reader:
        upload = find_upload(reader, owner_id=current_identity().user_id, upload_id=upload_id)
    check_may_send(upload, now=utc_now())
    return upload


def _missing(upload: Upload) -> tuple[int, ...] | None:
    """Ask S3 which parts it lacks; none of an answer when it knows nothing of them."""
    if upload.multipart_id is None:
        return None
    try:
        arrived = provided(Storage).arrived_parts(
            original_key(upload.owner_id, upload.id), upload.multipart_id
        )
    except PartsGone:
        return None
    return missing_parts(upload.size_bytes, {number: part.size_bytes for number, part in arrived.items()})


def _begun(upload: Upload) -> Upload:
    """Begin anew, and return the upload with the parts that count: of two calls at once, one's for both.

    S3 is asked outside of the transaction. A process that dies between the two leaves an upload in parts of
    which nobody knows, without parts, and the bucket drops it after a day.
    """
    begun = provided(Storage).begin_parts(
        original_key(upload.owner_id, upload.id), content_type=upload.content_type
    )
    with transaction() as session:
        kept = operations.parts.keep_parts(
            session,
            owner_id=upload.owner_id,
            upload_id=upload.id,
            begun=begun,
            instead_of=upload.multipart_id,
            now=utc_now(),
        )
    return upload._replace(multipart_id=begun) if kept else _sendable(upload.id)


def _answer(upload: Upload, missing: tuple[int, ...] | None) -> Response:
    if missing is None or upload.multipart_id is None:
        raise NotInParts("No parts of this file are on their way: begin them.")
    shown = present_parts(
        upload, multipart_id=upload.multipart_id, missing=missing, storage=provided(Storage), now=utc_now()
    )
    return json_response(shown)

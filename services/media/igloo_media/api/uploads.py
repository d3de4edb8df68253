"""Uploads: a target for each file, what became of it, and giving it up."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.idempotency import KEY_PARAMETER, once
from igloo_common.pagination import neighbours, page_response
from igloo_common.rate_limits import RATE_LIMIT_HEADERS, announce
from igloo_common.web import Blueprint, json_response, provided
from igloo_media import operations, queries
from igloo_media.operations.items import delete_item
from igloo_media.schemas.uploads import (
    RequestUploadsSchema,
    UploadPageSchema,
    UploadQuery,
    UploadQuerySchema,
    UploadSchema,
    UploadsSchema,
    present_upload,
    present_uploads,
)
from igloo_media.schemas.usage import UPLOADS_LIMITED
from igloo_media.settings import Settings
from igloo_media.storage import Storage

blp = Blueprint("uploads", __name__, description="Photos on their way in, straight to S3.")


@blp.route("/v1/uploads", methods=["POST"])
@access.user
@blp.doc(parameters=[KEY_PARAMETER])
@blp.arguments(RequestUploadsSchema)
@blp.response(201, UploadsSchema, headers=RATE_LIMIT_HEADERS)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(410, "GONE")
@blp.alt_response(429, **UPLOADS_LIMITED)
def request_uploads(body: dict[str, Any]) -> Response:
    """Ask for targets for 1 to 10 files.

    Send each file to its target, then complete the upload. Each target takes one file of exactly the
    announced size, type and, when it is given, SHA-256, for an hour. Files with a `client_id` may be asked
    for again: the same upload answers, with a fresh target; that counts towards no limit. Files of which one
    cannot be taken are refused together.

    409 `quota_exceeded`: delete photos first; `client_id_reused`: it names another file; `media_refused`: a
    moderator took down the files that `errors` points to. 410 `account_deleted` once the account is.
    """
    owner_id, storage, now = current_identity().user_id, provided(Storage), utc_now()
    limits = provided(Settings).person

    with transaction() as session:

        def effect() -> Response:
            asked = operations.uploads.request_uploads(
                session, owner_id=owner_id, files=body["files"], limits=limits, now=now
            )
            announce(asked.allowance)
            shown = present_uploads(asked.uploads, storage=storage, now=now)
            return json_response({"data": shown}, status=201)

        return once(session, effect)


@blp.route("/v1/uploads", methods=["GET"])
@access.user
@blp.arguments(UploadQuerySchema, location="query")
@blp.response(200, UploadPageSchema)
def list_uploads(query: UploadQuery) -> Response:
    """List your uploads, newest first: what to go on with after the app was killed (`?state=pending`)."""
    owner_id = current_identity().user_id
    scope = f"uploads:{owner_id}:{query.state}"
    cursor = query.position(scope=scope)
    with reading() as reader:
        page = queries.uploads.list_uploads(
            reader, owner_id=owner_id, state=query.state, cursor=cursor, limit=query.limit
        )
    positions = [(upload.created_at, upload.id) for upload in page.uploads]
    around = neighbours(positions, asked=cursor, more=page.more)
    shown = present_uploads(page.uploads, storage=provided(Storage), now=utc_now())
    return page_response(shown, scope=scope, around=around)


@blp.route("/v1/uploads/<uuid:upload_id>", methods=["GET"])
@access.user
@access.about(upload_id="upload.own")
@blp.response(200, UploadSchema)
def get_upload(upload_id: UUID) -> Response:
    """Return one of your uploads; while it is pending, with a fresh target."""
    with reading() as reader:
        upload = queries.uploads.find_upload(reader, owner_id=current_identity().user_id, upload_id=upload_id)
    return json_response(present_upload(upload, storage=provided(Storage), now=utc_now()))


@blp.route("/v1/uploads/<uuid:upload_id>", methods=["DELETE"])
@access.user
@access.about(upload_id="upload.own")
@blp.response(204)
def cancel_upload(upload_id: UUID) -> Response:
    """Give up an upload, or what became of it; refused once a post shows it."""
    owner_id = current_identity().user_id
    with transaction() as session:
        queries.uploads.find_upload(session, owner_id=owner_id, upload_id=upload_id, lock=True)
        delete_item(session, owner_id=owner_id, media_id=upload_id, now=utc_now())
    return Response(status=204)

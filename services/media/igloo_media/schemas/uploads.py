"""The shapes of uploads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from igloo_common.pagination import PageQuery, PageQuerySchema, PageSchema
from igloo_media.models import MediaState
from igloo_media.operations.uploads import RequestedFile
from igloo_media.policies.items import upload_state
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import CONTENT_TYPES, MAX_FILE_BYTES, MAX_FILES
from igloo_media.queries.uploads import STATES, Upload
from igloo_media.schemas.alt_texts import alt_text_field
from igloo_media.schemas.failures import FailureSchema, failure_of
from igloo_media.schemas.focal_points import focal_point_field, present_focal_point
from igloo_media.schemas.parts import PartsHintSchema, present_parts_hint
from igloo_media.storage import Storage


class RequestedFileSchema(Schema):
    """One file to upload."""

    content_type = fields.String(
        required=True, validate=validate.OneOf(CONTENT_TYPES), metadata={"example": "image/jpeg"}
    )
    size_bytes = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=1, max=MAX_FILE_BYTES),
        metadata={"description": "The exact size of the file; S3 refuses any other.", "example": 2_700_000},
    )
    client_id = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1, max=64),
        metadata={
            "description": "The client's own name for the file: asking again with it returns the same upload."
        },
    )
    sha256 = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"^[0-9a-fA-F]{64}(?!\n)$"),
        metadata={
            "description": "Hexadecimal. The target takes no other file, and it is checked again before the"
            " photo is processed."
        },
    )
    alt_text = alt_text_field(load_default=None)
    focal_point = focal_point_field(load_default=None)

    @post_load
    def _file(self, values: dict[str, Any], **_: object) -> RequestedFile:
        sha256 = values.pop("sha256")
        return RequestedFile(sha256=bytes.fromhex(sha256) if sha256 else None, **values)


class RequestUploadsSchema(Schema):
    """The files of one call."""

    files = fields.List(
        fields.Nested(RequestedFileSchema), required=True, validate=validate.Length(min=1, max=MAX_FILES)
    )

    @validates_schema
    def _client_ids_differ(self, values: dict[str, Any], **_: object) -> None:
        counts = Counter(file.client_id for file in values["files"] if file.client_id is not None)
        repeated = {
            index: {"client_id": ["Each file needs a client_id of its own."]}
            for index, file in enumerate(values["files"])
            if counts[file.client_id] > 1
        }
        if repeated:
            raise ValidationError({"files": repeated})


class TargetSchema(Schema):
    """Where to send the file: `multipart/form-data`, these fields first and the file last, named `file`."""

    method = fields.String(required=True, metadata={"example": "POST"})
    url = fields.String(required=True)
    fields_ = fields.Dict(keys=fields.String(), values=fields.String(), required=True, data_key="fields")


class UploadSchema(Schema):
    """An upload, which becomes the media item of the same id."""

    id = fields.UUID(required=True)
    media_id = fields.UUID(required=True, metadata={"description": "The same as id; what posts refer to."})
    client_id = fields.String(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf(list(STATES)))
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    alt_text = fields.String(required=True, allow_none=True)
    focal_point = focal_point_field(required=True)
    target = fields.Nested(
        TargetSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "While the file may still be sent, which an app does after it was killed as well."
        },
    )
    parts = fields.Nested(
        PartsHintSchema,
        required=True,
        allow_none=True,
        metadata={"description": "While a file of more than 8,000,000 bytes may be sent in parts instead."},
    )
    failure = fields.Nested(FailureSchema, required=True, allow_none=True)
    expires_at = fields.AwareDateTime(required=True)
    created_at = fields.AwareDateTime(required=True)


class UploadsSchema(Schema):
    """Uploads in the order of the files."""

    data = fields.List(fields.Nested(UploadSchema), required=True)


class UploadPageSchema(UploadsSchema):
    """A page of uploads, newest first."""

    page = fields.Nested(PageSchema, required=True)


@dataclass(frozen=True, kw_only=True)
class UploadQuery(PageQuery):
    """Which uploads a client asks for."""

    state: str | None


class UploadQuerySchema(PageQuerySchema):
    """`?state=` beside the page."""

    state = fields.String(load_default=None, validate=validate.OneOf(list(STATES)))

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> UploadQuery:
        return UploadQuery(**values)


def present_uploads(uploads: Sequence[Upload], *, storage: Storage, now: datetime) -> list[dict[str, object]]:
    """Shape uploads as UploadSchema says."""
    return [present_upload(upload, storage=storage, now=now) for upload in uploads]


def present_upload(upload: Upload, *, storage: Storage, now: datetime) -> dict[str, object]:
    """Shape one upload; its target is signed anew, offline, while it can be used."""
    return {
        "id": upload.id,
        "media_id": upload.id,
        "client_id": upload.client_id,
        "state": upload_state(upload.state),
        "content_type": upload.content_type,
        "size_bytes": upload.size_bytes,
        "alt_text": upload.alt_text,
        "focal_point": present_focal_point(upload.focal_x, upload.focal_y),
        "target": _target(upload, storage, now),
        "parts": present_parts_hint(upload, now=now),
        "failure": failure_of(upload),
        "expires_at": upload.expires_at,
        "created_at": upload.created_at,
    }


def _target(upload: Upload, storage: Storage, now: datetime) -> dict[str, object] | None:
    lifetime = upload.expires_at - now
    if upload.state != MediaState.PENDING or lifetime.total_seconds() < 1:
        return None
    target = storage.upload_target(
        original_key(upload.owner_id, upload.id),
        content_type=upload.content_type,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        lifetime=lifetime,
    )
    return asdict(target)

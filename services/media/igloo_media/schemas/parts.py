"""The shapes of files that arrive in parts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from marshmallow import Schema, fields

from igloo_media.models import MediaState
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import PART_BYTES, may_come_in_parts, part_sizes
from igloo_media.queries.uploads import Upload
from igloo_media.storage import Storage


class PartsHintSchema(Schema):
    """How a large file may be sent in parts; `GET /v1/uploads/{id}/parts` tells which have arrived."""

    part_size_bytes = fields.Integer(
        required=True,
        metadata={
            "description": "Of every part but the last, which has what is left.",
            "example": PART_BYTES,
        },
    )
    part_count = fields.Integer(required=True)
    begun = fields.Boolean(required=True)


class PartTargetSchema(Schema):
    """Where to send one part: the bytes alone are the body, and their number is its `Content-Length`."""

    method = fields.String(required=True, metadata={"example": "PUT"})
    url = fields.String(required=True)


class PartSchema(Schema):
    """One part of a file."""

    number = fields.Integer(required=True, metadata={"description": "From 1 on."})
    offset_bytes = fields.Integer(
        required=True, metadata={"description": "Where in the file it begins.", "example": PART_BYTES}
    )
    size_bytes = fields.Integer(required=True)
    arrived = fields.Boolean(required=True)
    target = fields.Nested(
        PartTargetSchema, required=True, allow_none=True, metadata={"description": "Until it has arrived."}
    )


class PartsSchema(Schema):
    """All parts of a file, in order; when all have arrived, complete the upload."""

    upload_id = fields.UUID(required=True)
    part_size_bytes = fields.Integer(required=True)
    part_count = fields.Integer(required=True)
    expires_at = fields.AwareDateTime(required=True)
    parts = fields.List(fields.Nested(PartSchema), required=True)


def present_parts_hint(upload: Upload, *, now: datetime) -> dict[str, object] | None:
    """Shape what an upload tells of its parts; none when it is small, or waits for its file no more."""
    if (
        upload.state != MediaState.PENDING
        or now >= upload.expires_at
        or not may_come_in_parts(upload.size_bytes)
    ):
        return None
    return {
        "part_size_bytes": PART_BYTES,
        "part_count": len(part_sizes(upload.size_bytes)),
        "begun": upload.multipart_id is not None,
    }


def present_parts(
    upload: Upload, *, multipart_id: str, missing: Collection[int], storage: Storage, now: datetime
) -> dict[str, object]:
    """Shape the parts as PartsSchema says, with an address for each that is missing; signed offline."""
    seconds = max(1, int((upload.expires_at - now).total_seconds()))
    key, sizes = original_key(upload.owner_id, upload.id), part_sizes(upload.size_bytes)

    def target(number: int) -> dict[str, str]:
        url = storage.part_address(
            key, multipart_id, number=number, size_bytes=sizes[number], seconds=seconds
        )
        return {"method": "PUT", "url": url}

    return {
        "upload_id": upload.id,
        "part_size_bytes": PART_BYTES,
        "part_count": len(sizes),
        "expires_at": upload.expires_at,
        "parts": [
            {
                "number": number,
                "offset_bytes": (number - 1) * PART_BYTES,
                "size_bytes": size,
                "arrived": number not in missing,
                "target": target(number) if number in missing else None,
            }
            for number, size in sizes.items()
        ],
    }

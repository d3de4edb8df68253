"""The shapes of many uploads completed in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from marshmallow import Schema, fields, validate

from igloo_common.errors import IglooError
from igloo_common.problems import status_of
from igloo_media.policies.uploads import MAX_FILES
from igloo_media.queries.uploads import Upload
from igloo_media.schemas.uploads import UploadSchema, present_upload
from igloo_media.storage import Storage


class CompleteUploadsSchema(Schema):
    """Which uploads have been sent."""

    upload_ids = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MAX_FILES),
        metadata={"description": "One that is named twice is completed once, and answered twice."},
    )


class CompletionProblemSchema(Schema):
    """Why one upload was not completed, as it would be answered alone."""

    code = fields.String(required=True, metadata={"example": "upload_missing"})
    detail = fields.String(required=True)
    status = fields.Integer(required=True, metadata={"example": 409})
    missing = fields.List(
        fields.Integer(), metadata={"description": "With `parts_missing`: the numbers of these parts."}
    )


class CompletionSchema(Schema):
    """What became of one upload: itself, or a problem."""

    upload_id = fields.UUID(required=True)
    upload = fields.Nested(UploadSchema, required=True, allow_none=True)
    problem = fields.Nested(CompletionProblemSchema, required=True, allow_none=True)


class CompletionsSchema(Schema):
    """An answer for each upload, in the order in which they were named."""

    data = fields.List(fields.Nested(CompletionSchema), required=True)


def present_completions(
    upload_ids: Sequence[UUID],
    outcomes: Mapping[UUID, Upload | IglooError],
    *,
    storage: Storage,
    now: datetime,
) -> list[dict[str, object]]:
    """Shape the outcomes as CompletionsSchema says."""
    shown = {
        upload_id: (None, _problem(outcome))
        if isinstance(outcome, IglooError)
        else (present_upload(outcome, storage=storage, now=now), None)
        for upload_id, outcome in outcomes.items()
    }
    return [
        {"upload_id": upload_id, "upload": shown[upload_id][0], "problem": shown[upload_id][1]}
        for upload_id in upload_ids
    ]


def _problem(refusal: IglooError) -> dict[str, object]:
    return {
        "code": refusal.code,
        "detail": refusal.detail,
        "status": status_of(refusal),
        **refusal.extra,
    }

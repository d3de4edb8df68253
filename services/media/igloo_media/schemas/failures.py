"""Why a medium will not be shown."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import Row

from igloo_media.models import MediaState
from igloo_media.policies.items import EXPIRED_CODE, EXPIRED_DETAIL
from igloo_media.queries.uploads import Upload


class FailureSchema(Schema):
    """A stable code to branch on, and a sentence to show."""

    code = fields.String(required=True, metadata={"example": "unreadable_image"})
    detail = fields.String(required=True)


def failure_of(row: Row[Any] | Upload) -> dict[str, str | None] | None:
    """Return why a medium failed, or none when it has not."""
    if row.state == MediaState.EXPIRED:
        return {"code": EXPIRED_CODE, "detail": EXPIRED_DETAIL}
    if row.state == MediaState.FAILED:
        return {"code": row.failure_code, "detail": row.failure_detail}
    return None

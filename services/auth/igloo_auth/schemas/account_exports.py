"""The shape of an export, as the person whose export it is sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from marshmallow import Schema, fields, validate

from igloo_auth.models.account_exports import ExportState
from igloo_auth.policies.exports import ACCOUNT_DELETED, EXPORT_TIMED_OUT
from igloo_auth.queries.account_exports import ExportView

_FAILURES: Final = {
    EXPORT_TIMED_OUT: "The export could not be put together within a day: ask for another one.",
    ACCOUNT_DELETED: "The account was deleted before the export was ready.",
}
_PART_STATES: Final = ("pending", "collected")


def _part() -> fields.String:
    return fields.String(required=True, validate=validate.OneOf(_PART_STATES))


class ExportServicesSchema(Schema):
    """Whose part of the archive is there."""

    auth = _part()
    social = _part()
    media = _part()


class DownloadSchema(Schema):
    """Where the archive is, for fifteen minutes."""

    url = fields.URL(
        required=True,
        metadata={"description": "Good for anybody who has it: give it to nobody. Needs no access token."},
    )
    expires_at = fields.AwareDateTime(
        required=True, metadata={"description": "Until when it works; read the export again for another."}
    )
    size_bytes = fields.Integer(required=True)


class ExportFailureSchema(Schema):
    """Why there is no archive."""

    code = fields.String(required=True, validate=validate.OneOf(tuple(_FAILURES)))
    detail = fields.String(required=True)


class AccountExportSchema(Schema):
    """A copy of everything held about the caller, being made or ready."""

    id = fields.UUID(required=True)
    state = fields.Enum(ExportState, by_value=True, required=True)
    requested_at = fields.AwareDateTime(required=True)
    ready_at = fields.AwareDateTime(required=True, allow_none=True)
    expires_at = fields.AwareDateTime(
        required=True,
        metadata={"description": "Until when the archive is kept, or may take to be ready."},
    )
    services = fields.Nested(ExportServicesSchema, required=True)
    failure = fields.Nested(ExportFailureSchema, required=True, allow_none=True)
    download = fields.Nested(
        DownloadSchema, required=True, allow_none=True, metadata={"description": "Null unless `ready`."}
    )


def export_json(
    export: ExportView, *, download_url: str | None = None, link_expires_at: datetime | None = None
) -> Mapping[str, Any]:
    """Return an export as it is sent."""
    download = {
        "url": download_url,
        "expires_at": link_expires_at,
        "size_bytes": export.archive_bytes,
    }
    failure = {"code": export.failure_code, "detail": _FAILURES.get(export.failure_code or "", "")}
    return {
        "id": export.id,
        "state": export.state,
        "requested_at": export.requested_at,
        "ready_at": export.ready_at,
        "expires_at": export.expires_at,
        "services": {name: _PART_STATES[there] for name, there in export.collected.items()},
        "failure": None if export.failure_code is None else failure,
        "download": None if download_url is None else download,
    }

"""Reports over HTTP, as those who make them see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, post_load, validate

from igloo_common.text_fields import Text
from igloo_social.models.reports import MAX_NOTE_LENGTH, ReportReason, ReportTarget
from igloo_social.operations.reports import NewReport

if TYPE_CHECKING:
    from sqlalchemy import Row

TARGETS = [kind.value for kind in ReportTarget]
REASONS = [reason.value for reason in ReportReason]
STATES = ["open", "resolved"]


class NewReportSchema(Schema):
    """What is reported, and why."""

    target_kind = fields.Enum(ReportTarget, by_value=True, required=True)
    target_id = fields.UUID(
        required=True, metadata={"description": "Of the person, post or comment, which the caller sees"}
    )
    reason = fields.Enum(ReportReason, by_value=True, required=True)
    note = Text(
        lines=True,
        load_default="",
        validate=validate.Length(max=MAX_NOTE_LENGTH),
        metadata={"description": "For the moderators' eyes alone"},
    )

    @post_load
    def _command(self, values: dict[str, Any], **_: object) -> NewReport:
        return NewReport(**values)


class ReportSchema(Schema):
    """A report as its maker sees it."""

    id = fields.UUID(required=True)
    target_kind = fields.String(required=True, validate=validate.OneOf(TARGETS))
    target_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=validate.OneOf(REASONS))
    note = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    created_at = fields.AwareDateTime(required=True)


def report_json(row: Row[Any]) -> dict[str, object]:
    """Present a row of reports as ReportSchema documents it."""
    return {
        "id": row.id,
        "target_kind": row.target_kind,
        "target_id": row.target_id,
        "reason": row.reason,
        "note": row.note,
        "state": "open" if row.resolved_at is None else "resolved",
        "created_at": row.created_at,
    }

"""What moderators read and decide, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, post_load, validate

from igloo_common.pagination import PageQuerySchema, PageSchema
from igloo_common.text_fields import Text
from igloo_social.models.posts import PostState, Visibility
from igloo_social.models.reports import MAX_NOTE_LENGTH, ModerationStep, Resolution
from igloo_social.operations.moderation import Decision
from igloo_social.queries.moderation import OPEN_COUNTED_AT_MOST
from igloo_social.schemas.images import ImageSchema
from igloo_social.schemas.profiles import PersonSchema, person_json
from igloo_social.schemas.reports import STATES, TARGETS, ReportSchema, report_json

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from igloo_social.addresses import RenditionAddresses

_RESOLUTIONS = [resolution.value for resolution in Resolution]
_ACTIONS = [*_RESOLUTIONS, *(step.value for step in ModerationStep)]
_TARGET_STATES = [
    "shown",
    "hidden",
    "suspended",
    "deleted",
    PostState.PROCESSING.value,
    PostState.FAILED.value,
]
_VISIBILITIES = [word.value for word in Visibility]


class ReportsQuerySchema(PageQuerySchema):
    """`?state=&limit=&cursor=`."""

    state = fields.String(load_default="open", validate=validate.OneOf(STATES))

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> Any:  # noqa: ANN401 - the page and the state
        is_open = values.pop("state") == "open"
        return super()._query(values), is_open


class ActionsQuerySchema(PageQuerySchema):
    """`?target_id=&owner_id=&views=&limit=&cursor=`."""

    target_id = fields.UUID(
        load_default=None, metadata={"description": "Of the person, post or comment that it was about"}
    )
    owner_id = fields.UUID(load_default=None, metadata={"description": "Whose that is"})
    views = fields.Boolean(
        load_default=False, metadata={"description": "Whether to list looks at reports beside decisions"}
    )

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> Any:  # noqa: ANN401 - the page and the filters
        filters = {name: values.pop(name) for name in ("target_id", "owner_id", "views")}
        return super()._query(values), filters


class DecisionSchema(Schema):
    """What a moderator decides about a report."""

    resolution = fields.Enum(
        Resolution,
        by_value=True,
        required=True,
        metadata={"description": "`hide_post` of posts and `hide_comment` of comments; the others of all"},
    )
    note = Text(lines=True, load_default="", validate=validate.Length(max=MAX_NOTE_LENGTH))

    @post_load
    def _command(self, values: dict[str, Any], **_: object) -> Decision:
        return Decision(**values)


class ReopeningSchema(Schema):
    """Why a decision is taken back."""

    note = Text(lines=True, load_default="", validate=validate.Length(max=MAX_NOTE_LENGTH))


class SnapshotSchema(Schema):
    """How a reported thing read when it was reported."""

    username = fields.String(required=True, metadata={"description": "The owner's, as it was"})
    display_name = fields.String(required=True)
    text = fields.String(required=True, metadata={"description": "The bio, the caption, or the comment"})
    media_ids = fields.List(fields.UUID(), required=True)
    visibility = fields.String(
        required=True,
        validate=validate.OneOf(_VISIBILITIES),
        metadata={"description": "Of the account, of the post, or of the post that was commented on"},
    )
    post_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "The post that was commented on"}
    )


class TargetSchema(Schema):
    """A reported thing as it is now. What is deleted says nothing any more."""

    state = fields.String(
        required=True,
        validate=validate.OneOf(_TARGET_STATES),
        metadata={
            "description": "`hidden` by a moderator; of a comment, `suspended` with its author; of a post of"
            " a suspended author, its own"
        },
    )
    text = fields.String(required=True, allow_none=True)
    visibility = fields.String(required=True, allow_none=True, validate=validate.OneOf(_VISIBILITIES))
    post_id = fields.UUID(required=True, allow_none=True)
    images = fields.List(fields.Nested(ImageSchema), required=True)
    created_at = fields.AwareDateTime(required=True, allow_none=True)
    edited_at = fields.AwareDateTime(required=True, allow_none=True)


class ModeratedReportSchema(ReportSchema):
    """A report as moderators see it."""

    reporter_id = fields.UUID(
        required=True, allow_none=True, metadata={"description": "Null once the reporter has left"}
    )
    owner = fields.Nested(PersonSchema, required=True, metadata={"description": "Whose it is"})
    owner_state = fields.String(required=True, validate=validate.OneOf(["shown", "suspended", "deleted"]))
    snapshot = fields.Nested(SnapshotSchema, required=True)
    open_reports = fields.Integer(
        required=True,
        metadata={
            "description": f"How many of the same thing are open, at most {OPEN_COUNTED_AT_MOST} counted"
        },
    )
    resolution = fields.String(required=True, allow_none=True, validate=validate.OneOf(_RESOLUTIONS))
    resolved_at = fields.AwareDateTime(required=True, allow_none=True)


class WholeReportSchema(ModeratedReportSchema):
    """A report with what it is about, as it is now."""

    target = fields.Nested(TargetSchema, required=True)


class ReportsPageSchema(Schema):
    """A page of reports."""

    data = fields.List(fields.Nested(ModeratedReportSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


class ActionSchema(Schema):
    """One thing that a moderator did."""

    id = fields.UUID(required=True)
    moderator_id = fields.UUID(required=True)
    action = fields.String(required=True, validate=validate.OneOf(_ACTIONS))
    report_id = fields.UUID(required=True)
    target_kind = fields.String(required=True, validate=validate.OneOf(TARGETS))
    target_id = fields.UUID(required=True)
    owner_id = fields.UUID(required=True)
    note = fields.String(required=True)
    acted_at = fields.AwareDateTime(required=True)


class ActionsPageSchema(Schema):
    """A page of what moderators did."""

    data = fields.List(fields.Nested(ActionSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


def moderated_report_json(row: Row[Any]) -> dict[str, object]:
    """Present a report of the queue as ModeratedReportSchema documents it."""
    return {
        **report_json(row),
        "reporter_id": row.reporter_id,
        "owner": person_json(row),
        "owner_state": row.owner_state,
        "snapshot": row.snapshot,
        "open_reports": row.open_reports,
        "resolution": row.resolution,
        "resolved_at": row.resolved_at,
    }


def target_json(row: Row[Any] | None, addresses: RenditionAddresses, *, now: datetime) -> dict[str, object]:
    """Present a thing as TargetSchema documents it; None is one that was erased."""
    if row is None or row.state == "deleted":
        nothing = dict.fromkeys(("text", "visibility", "post_id", "created_at", "edited_at"))
        return {"state": "deleted", **nothing, "images": []}
    return {
        "state": row.state,
        "text": row.text,
        "visibility": row.visibility,
        "post_id": row.post_id,
        "images": addresses.images_json(row.images, now=now),
        "created_at": row.created_at,
        "edited_at": row.edited_at,
    }


def action_json(row: Row[Any]) -> dict[str, object]:
    """Present a row of the trail as ActionSchema documents it."""
    return dict(row._mapping)

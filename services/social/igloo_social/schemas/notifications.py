"""Notifications over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, validate

from igloo_common.pagination import PageSchema
from igloo_social.models.notifications import NotificationKind
from igloo_social.queries.notifications import UNREAD_COUNTED_AT_MOST
from igloo_social.schemas.profiles import PersonSchema, person_json

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row


class NotificationSchema(Schema):
    """One thing that the caller is told."""

    id = fields.UUID(required=True)
    kind = fields.String(
        required=True,
        validate=validate.OneOf([kind.value for kind in NotificationKind]),
        metadata={"description": "More kinds will come: show what you know, and skip the others"},
    )
    actor = fields.Nested(
        PersonSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Who did it; null where nobody in particular did"},
    )
    post_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    read = fields.Boolean(required=True)


class NotificationsPageSchema(Schema):
    """A page of notifications, the last first."""

    data = fields.List(fields.Nested(NotificationSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


class UnreadCountSchema(Schema):
    """How much is new."""

    unread_count = fields.Integer(
        required=True, metadata={"description": f"Counted up to {UNREAD_COUNTED_AT_MOST}"}
    )


class ReadMarkerSchema(Schema):
    """How far the caller has read."""

    read_until = fields.AwareDateTime(
        required=True,
        metadata={"description": "`created_at` of the newest notification that the person has seen"},
    )


class ReadMarkerStatusSchema(ReadMarkerSchema):
    """Where the read marker stands, and how much is new after it."""

    unread_count = fields.Integer(required=True)


def notification_json(row: Row[Any]) -> dict[str, object]:
    """Present a notification as NotificationSchema documents it."""
    return {
        "id": row.id,
        "kind": row.kind,
        "actor": None if row.user_id is None else person_json(row),
        "post_id": row.object_id,
        "created_at": row.created_at,
        "read": row.is_read,
    }


def read_marker_json(read_until: datetime, unread_count: int) -> dict[str, object]:
    """Present a read marker as ReadMarkerStatusSchema documents it."""
    return {"read_until": read_until, "unread_count": unread_count}

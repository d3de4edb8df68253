"""Notifications over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from marshmallow import Schema, fields, validate

from igloo_common.pagination import PageSchema
from igloo_social.models.notifications import NotificationKind
from igloo_social.queries.notifications import ACTORS_SHOWN, UNREAD_COUNTED_AT_MOST
from igloo_social.schemas.profiles import PersonSchema, person_json

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from igloo_social.queries.notifications import FactRow, GroupView
    from igloo_social.queries.profiles import ProfileRow


class NotificationSchema(Schema):
    """What the caller is told, shown as one: "A and 3 others like your post".

    Likes and comments of one post are told together for a day (in UTC), and so are follows; everything else
    is told alone. Whoever does more of the same brings it to the front of the list again.
    """

    id = fields.UUID(required=True, metadata={"description": "Stays the same while more people join in"})
    kind = fields.String(
        required=True,
        validate=validate.OneOf([kind.value for kind in NotificationKind]),
        metadata={"description": "More kinds will come: show what you know, and skip the others"},
    )
    actors = fields.List(
        fields.Nested(PersonSchema),
        required=True,
        metadata={
            "description": f"Who did it, the last first, {ACTORS_SHOWN} at most; empty where nobody in"
            " particular did"
        },
    )
    actor_count = fields.Integer(
        required=True, metadata={"description": "How many people did it, those in `actors` included"}
    )
    actor = fields.Nested(
        PersonSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The first of `actors`; null where nobody in particular did it"},
    )
    post_id = fields.UUID(required=True, allow_none=True, metadata={"description": "Where it leads to"})
    comment_id = fields.UUID(
        required=True,
        allow_none=True,
        metadata={"description": "The comment that says it, the last of several; null for other kinds"},
    )
    created_at = fields.AwareDateTime(
        required=True, metadata={"description": "When the last of them did it: its place in the list"}
    )
    read = fields.Boolean(required=True)


class NotificationsPageSchema(Schema):
    """A page of notifications, the last first."""

    data = fields.List(fields.Nested(NotificationSchema), required=True)
    page = fields.Nested(PageSchema, required=True)


class UnreadCountSchema(Schema):
    """How much is new."""

    unread_count = fields.Integer(
        required=True,
        metadata={"description": f"Entries of the list, not people; counted up to {UNREAD_COUNTED_AT_MOST}"},
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


def notification_json(group: GroupView) -> dict[str, object]:
    """Present a group of news as NotificationSchema documents it."""
    newest = group.facts[0]
    actors = [person_json(cast("ProfileRow", fact)) for fact in group.facts if fact.user_id is not None]
    return {
        "id": group.id,
        "kind": newest.kind,
        "actors": actors,
        "actor_count": newest.actor_count if actors else 0,
        "actor": actors[0] if actors else None,
        "post_id": newest.post_id,
        "comment_id": _comment_of(newest),
        "created_at": group.latest_at,
        "read": newest.is_read,
    }


def _comment_of(fact: FactRow) -> UUID | None:
    """Name the comment that a fact is about: what is about a post itself names the post as its object."""
    return None if fact.object_id == fact.post_id else fact.object_id


def read_marker_json(read_until: datetime, unread_count: int) -> dict[str, object]:
    """Present a read marker as ReadMarkerStatusSchema documents it."""
    return {"read_until": read_until, "unread_count": unread_count}

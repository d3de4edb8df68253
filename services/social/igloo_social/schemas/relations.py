"""What stands between two people, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import Schema, fields, validate

if TYPE_CHECKING:
    from uuid import UUID

    from igloo_social.models.relations import Relationship

MAXIMUM_BATCH = 100


class RelationshipSchema(Schema):
    """What the caller is to a person, and what that person is to the caller."""

    user_id = fields.UUID(required=True, metadata={"description": "The other person"})
    following = fields.Boolean(required=True)
    requested = fields.Boolean(required=True, metadata={"description": "The caller asks to follow them"})
    followed_by = fields.Boolean(required=True)
    blocking = fields.Boolean(required=True)
    muting = fields.Boolean(
        required=True, metadata={"description": "The caller does not want to be shown them unasked, for now"}
    )
    muting_until = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata={"description": "When the mute ends by itself; null for one that does not, or for none"},
    )


class RelationshipsSchema(Schema):
    """What the caller is to each of several people."""

    data = fields.List(fields.Nested(RelationshipSchema), required=True)


class RelationshipsQuerySchema(Schema):
    """`?user_id=…&user_id=…`."""

    user_id = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MAXIMUM_BATCH),
        metadata={"description": "Repeat it for several people"},
    )


def relationship_json(user_id: UUID, relationship: Relationship) -> dict[str, object]:
    """Present a relationship as RelationshipSchema documents it; a block by the other is never told."""
    return {
        "user_id": user_id,
        "following": relationship.following,
        "requested": relationship.requested,
        "followed_by": relationship.followed_by,
        "blocking": relationship.blocking,
        "muting": relationship.muting,
        "muting_until": relationship.muting_until,
    }

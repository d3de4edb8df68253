"""The shape of a person's own account."""

from marshmallow import Schema, fields


class AccountSchema(Schema):
    """What the auth service holds about the caller."""

    id = fields.UUID(required=True)
    display_name = fields.String(required=True)
    picture_url = fields.URL(required=True, allow_none=True)
    facebook_user_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The caller's id at Facebook, as Facebook gives it to this app alone."},
    )
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)

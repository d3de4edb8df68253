"""The shape of a nonce on its way to an app."""

from marshmallow import Schema, fields


class NonceSchema(Schema):
    """A nonce for one Limited Login."""

    nonce = fields.String(
        required=True, metadata={"description": "Give it to the Facebook SDK as the login's nonce, as it is."}
    )
    expires_in = fields.Integer(
        required=True, metadata={"description": "Seconds in which the sign-in must be done.", "example": 600}
    )

"""A post's images over HTTP."""

from __future__ import annotations

from marshmallow import Schema, fields


class RenditionSchema(Schema):
    """One size of an image, to be fetched from its address."""

    url = fields.Url(
        required=True,
        metadata={"description": "Signed; works for a day at least, and stays the same for an hour"},
    )
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    content_type = fields.String(required=True, metadata={"example": "image/webp"})
    is_animated = fields.Boolean(required=True)


class RenditionsSchema(Schema):
    """The sizes of an image; none of them before it is ready."""

    thumb = fields.Nested(RenditionSchema, metadata={"description": "A square of 320 pixels"})
    feed = fields.Nested(RenditionSchema, metadata={"description": "At most 1080 pixels wide or high"})
    full = fields.Nested(RenditionSchema, metadata={"description": "At most 2048 pixels wide or high"})


class FocalPointSchema(Schema):
    """Where the eye falls: from 0 to 1 across and down the upright photo."""

    x = fields.Float(required=True)
    y = fields.Float(required=True)


class ImageSchema(Schema):
    """One image of a post; all but its id is null while it is not ready."""

    media_id = fields.UUID(required=True)
    width = fields.Integer(required=True, allow_none=True)
    height = fields.Integer(required=True, allow_none=True)
    blurhash = fields.String(
        required=True, allow_none=True, metadata={"description": "What to show until the image is there"}
    )
    dominant_color = fields.String(required=True, allow_none=True, metadata={"example": "#a3b1c2"})
    alt_text = fields.String(required=True, allow_none=True)
    focal_point = fields.Nested(
        FocalPointSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What to keep in sight when cropping; null is the middle"},
    )
    renditions = fields.Nested(RenditionsSchema, required=True)

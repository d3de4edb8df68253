"""The shapes of media items."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from igloo_common.signatures import rounded_expiry, sign_path
from igloo_media.operations.items import ItemEdit
from igloo_media.policies.items import item_state
from igloo_media.policies.objects import rendition_path
from igloo_media.queries.items import ItemWithRenditions
from igloo_media.schemas.alt_texts import alt_text_field
from igloo_media.schemas.failures import FailureSchema, failure_of
from igloo_media.schemas.focal_points import focal_point_field, present_focal_point
from igloo_media.settings import Settings


class RenditionSchema(Schema):
    """One size of a photo; the address works for a day or so, then ask again."""

    url = fields.Url(required=True, require_tld=False)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    is_animated = fields.Boolean(required=True)


class RenditionsSchema(Schema):
    """The sizes of a ready photo: 320 pixels square, 1080 and 2048 at the longer side; never enlarged."""

    thumb = fields.Nested(RenditionSchema)
    feed = fields.Nested(RenditionSchema)
    full = fields.Nested(RenditionSchema)


class OriginalSchema(Schema):
    """The file as it was announced; it is removed once the photo is ready or has failed."""

    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)


class PrivacyReceiptSchema(Schema):
    """What the file carried besides its pixels, by kind; values are told to nobody."""

    removed = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "In no rendition any more.", "example": ["camera", "position", "time"]},
    )
    kept = fields.List(fields.String(), required=True, metadata={"example": ["color_profile"]})


class ItemSchema(Schema):
    """A photo as its owner sees it."""

    id = fields.UUID(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["pending", "processing", "ready", "failed"])
    )
    failure = fields.Nested(FailureSchema, required=True, allow_none=True)
    width = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Of the upright original."}
    )
    height = fields.Integer(required=True, allow_none=True)
    blurhash = fields.String(required=True, allow_none=True)
    dominant_color = fields.String(required=True, allow_none=True, metadata={"example": "#7a5c3e"})
    alt_text = fields.String(required=True, allow_none=True)
    focal_point = focal_point_field(
        required=True,
        metadata={"description": "What the square thumbnail is cut around; null is the middle."},
    )
    frames = fields.Integer(
        required=True, allow_none=True, metadata={"description": "More than one is an animation."}
    )
    original = fields.Nested(OriginalSchema, required=True)
    privacy_receipt = fields.Nested(
        PrivacyReceiptSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Null before it is ready, and of photos from before there were receipts."},
    )
    renditions = fields.Nested(RenditionsSchema, required=True)
    is_withheld = fields.Boolean(
        required=True,
        metadata={"description": "A moderator took its post down: nobody may fetch it, and none are listed."},
    )
    created_at = fields.AwareDateTime(required=True)


class ItemEditSchema(Schema):
    """What an owner may change of a photo; one of them at least."""

    alt_text = alt_text_field()
    focal_point = focal_point_field()

    @validates_schema
    def _changes_something(self, values: dict[str, Any], **_: object) -> None:
        if not values:
            raise ValidationError("Give alt_text or focal_point, or both.")

    @post_load
    def _edit(self, values: dict[str, Any], **_: object) -> ItemEdit:
        if "focal_point" in values:
            point = values.pop("focal_point")
            values |= {"focal_x": point.x if point else None, "focal_y": point.y if point else None}
        return ItemEdit(values=values)


def present_item(found: ItemWithRenditions, *, settings: Settings, now: datetime) -> dict[str, object]:
    """Shape a media item as ItemSchema says, with addresses that anybody may read from for a time."""
    item = found.item
    expires_at = rounded_expiry(
        now, ttl_seconds=settings.address_ttl_seconds, round_seconds=settings.address_round_seconds
    )
    return {
        "id": item.id,
        "state": item_state(item.state),
        "failure": failure_of(item),
        "width": item.width,
        "height": item.height,
        "blurhash": item.blurhash,
        "dominant_color": item.dominant_color,
        "alt_text": item.alt_text,
        "focal_point": present_focal_point(item.focal_x, item.focal_y),
        "frames": item.frames,
        "original": {"content_type": item.content_type, "size_bytes": item.size_bytes},
        "privacy_receipt": item.receipt,
        "renditions": {
            each.name: {
                "url": _address(rendition_path(item.id, each.name, each.version), expires_at, settings),
                "width": each.width,
                "height": each.height,
                "content_type": each.content_type,
                "size_bytes": each.size_bytes,
                "is_animated": each.is_animated,
            }
            for each in found.renditions
            if item.withheld_at is None
        },
        "is_withheld": item.withheld_at is not None,
        "created_at": item.created_at,
    }


def _address(path: str, expires_at: int, settings: Settings) -> str:
    signed = sign_path(path, expires_at=expires_at, keys=settings.common.address_signing_keys)
    return settings.common.public_url + signed

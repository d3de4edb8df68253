"""The shapes of media items."""

from __future__ import annotations

from datetime import datetime

from marshmallow import Schema, fields, validate

from igloo_common.signatures import rounded_expiry, sign_path
from igloo_media.policies.items import item_state
from igloo_media.policies.objects import rendition_path
from igloo_media.queries.items import ItemWithRenditions
from igloo_media.schemas.alt_texts import alt_text_field
from igloo_media.schemas.failures import FailureSchema, failure_of
from igloo_media.settings import Settings


class RenditionSchema(Schema):
    """One size of a photo; the address works for a day or so, then ask again."""

    url = fields.Url(required=True, require_tld=False)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    content_type = fields.String(required=True)


class RenditionsSchema(Schema):
    """The sizes of a ready photo: 320 pixels square, 1080 and 2048 at the longer side; never enlarged."""

    thumb = fields.Nested(RenditionSchema)
    feed = fields.Nested(RenditionSchema)
    full = fields.Nested(RenditionSchema)


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
    renditions = fields.Nested(RenditionsSchema, required=True)
    is_withheld = fields.Boolean(
        required=True,
        metadata={"description": "A moderator took its post down: nobody may fetch it, and none are listed."},
    )
    created_at = fields.AwareDateTime(required=True)


class DescribeItemSchema(Schema):
    """What an owner may change of a photo."""

    alt_text = alt_text_field(required=True)


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
        "renditions": {
            each.name: {
                "url": _address(rendition_path(item.id, each.name, each.version), expires_at, settings),
                "width": each.width,
                "height": each.height,
                "content_type": each.content_type,
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

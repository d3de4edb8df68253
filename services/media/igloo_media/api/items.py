"""Photos as their owner sees and describes them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.web import Blueprint, json_response, provided
from igloo_media.operations.items import delete_item, describe_item
from igloo_media.queries.items import find_item
from igloo_media.schemas.items import DescribeItemSchema, ItemSchema, present_item
from igloo_media.settings import Settings

blp = Blueprint("media", __name__, description="Photos: their state, their sizes, their words.")


@blp.route("/v1/media/<uuid:media_id>", methods=["GET"])
@access.user
@access.about(media_id="media.own")
@blp.response(200, ItemSchema)
def get_media(media_id: UUID) -> Response:
    """Return one of your photos: its state, why it failed if it did, and its sizes once it is ready."""
    with reading() as reader:
        found = find_item(reader, owner_id=current_identity().user_id, media_id=media_id)
    return json_response(present_item(found, settings=provided(Settings), now=utc_now()))


@blp.route("/v1/media/<uuid:media_id>", methods=["PATCH"])
@access.user
@access.about(media_id="media.own")
@blp.arguments(DescribeItemSchema)
@blp.response(200, ItemSchema)
def describe_media(body: dict[str, Any], media_id: UUID) -> Response:
    """Set or clear the alt text of one of your photos; posts that show it follow."""
    owner_id, now = current_identity().user_id, utc_now()
    with transaction() as session:
        describe_item(session, owner_id=owner_id, media_id=media_id, alt_text=body["alt_text"], now=now)
        found = find_item(session, owner_id=owner_id, media_id=media_id)
    return json_response(present_item(found, settings=provided(Settings), now=now))


@blp.route("/v1/media/<uuid:media_id>", methods=["DELETE"])
@access.user
@access.about(media_id="media.own")
@blp.response(204)
def delete_media(media_id: UUID) -> Response:
    """Delete one of your photos that no post shows; 409 `media_attached` when one does."""
    with transaction() as session:
        delete_item(session, owner_id=current_identity().user_id, media_id=media_id, now=utc_now())
    return Response(status=204)

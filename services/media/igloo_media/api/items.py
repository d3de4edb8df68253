"""Photos as their owner sees and describes them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Response

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.conditional import IF_MATCH, IF_NONE_MATCH, expected_versions, tagged
from igloo_common.database import reading, transaction
from igloo_common.web import Blueprint, json_response, provided
from igloo_media.operations.items import ItemEdit, delete_item, edit_item
from igloo_media.policies.items import edit_version
from igloo_media.queries.items import ItemWithRenditions, find_item
from igloo_media.schemas.items import ItemEditSchema, ItemSchema, present_item
from igloo_media.settings import Settings

blp = Blueprint("media", __name__, description="Photos: their state, their sizes, their words.")


@blp.route("/v1/media/<uuid:media_id>", methods=["GET"])
@access.user
@access.about(media_id="media.own")
@blp.doc(parameters=[IF_NONE_MATCH])
@blp.response(200, ItemSchema)
@blp.alt_response(304, description="It is as the client has it")
@blp.alt_response(404, "NOT_FOUND")
def get_media(media_id: UUID) -> Response:
    """Return one of your photos: its state, why it failed if it did, and its sizes once it is ready.

    The ETag is for If-None-Match here and for If-Match on PATCH.
    """
    with reading() as reader:
        found = find_item(reader, owner_id=current_identity().user_id, media_id=media_id)
    return _item_response(found, now=utc_now())


@blp.route("/v1/media/<uuid:media_id>", methods=["PATCH"])
@access.user
@access.about(media_id="media.own")
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(ItemEditSchema)
@blp.response(200, ItemSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(412, "PRECONDITION_FAILED")
def describe_media(edit: ItemEdit, media_id: UUID) -> Response:
    """Change the alt text or the focal point of one of your photos; what is left out stays, null takes back.

    With If-Match, only while you have not changed these since the client read it: else 412 `media_changed`.
    Posts that show the photo follow. A photo that is ready gets a thumbnail around the new point within a
    moment, at a new address; the addresses from before then show it too.
    """
    owner_id, now = current_identity().user_id, utc_now()
    with transaction() as session:
        edit_item(
            session,
            owner_id=owner_id,
            media_id=media_id,
            edit=edit,
            expected_versions=expected_versions(),
            now=now,
        )
        found = find_item(session, owner_id=owner_id, media_id=media_id)
    return _item_response(found, now=now)


@blp.route("/v1/media/<uuid:media_id>", methods=["DELETE"])
@access.user
@access.about(media_id="media.own")
@blp.response(204)
def delete_media(media_id: UUID) -> Response:
    """Delete one of your photos that no post shows; 409 `media_attached` when one does."""
    with transaction() as session:
        delete_item(session, owner_id=current_identity().user_id, media_id=media_id, now=utc_now())
    return Response(status=204)


def _item_response(found: ItemWithRenditions, *, now: datetime) -> Response:
    item = found.item
    response = json_response(present_item(found, settings=provided(Settings), now=now))
    return tagged(response, version=edit_version(item.alt_text, item.focal_x, item.focal_y))

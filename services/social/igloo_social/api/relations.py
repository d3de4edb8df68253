"""Route of what stands between the caller and several people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.database import reading
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.queries.relations import relationships_with
from igloo_social.schemas.relations import RelationshipsQuerySchema, RelationshipsSchema, relationship_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("relations", __name__, description="What people are to each other")


@blp.route("/v1/relationships", methods=["GET"])
@access.user
@access.about(user_id="person.listed")
@blp.arguments(RelationshipsQuerySchema, location="query")
@blp.response(200, RelationshipsSchema)
def list_relationships(query: dict[str, list[UUID]]) -> Response:
    """Read what one is to each of up to 100 people, in the order asked; who does not exist is left out."""
    user_ids = list(dict.fromkeys(query["user_id"]))
    with reading() as reader:
        found = relationships_with(reader, viewer_id=current_identity().user_id, user_ids=user_ids)
    shown = [relationship_json(user_id, found[user_id]) for user_id in user_ids if user_id in found]
    return json_response({"data": shown})

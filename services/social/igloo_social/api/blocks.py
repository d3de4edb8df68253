"""Routes of blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.pagination import PageQuery, PageQuerySchema
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.newcomers import patient_with_newcomers
from igloo_social.api.people import people_response
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.queries.people import PeopleList
from igloo_social.schemas.profiles import PeoplePageSchema
from igloo_social.schemas.relations import RelationshipSchema, relationship_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("blocks", __name__, description="Blocking people")


@blp.route("/v1/users/<uuid:user_id>/block", methods=["PUT"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
@patient_with_newcomers
def block_user(user_id: UUID) -> Response:
    """Block a person; again, it changes nothing.

    Follows, requests, likes, comments and news between the two go at once. For the blocked person, everything
    of the blocker is 404 from now on.
    """
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = block_account(session, actor_id=actor_id, blocked_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/<uuid:user_id>/block", methods=["DELETE"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def unblock_user(user_id: UUID) -> Response:
    """No longer block a person; nothing that the block removed comes back."""
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = unblock_account(session, actor_id=actor_id, blocked_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/me/blocks", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PeoplePageSchema)
def list_my_blocks(query: PageQuery) -> Response:
    """List whom one blocks, the latest first."""
    user_id = current_identity().user_id
    with reading() as reader:
        return people_response(
            reader, people=PeopleList.BLOCKED, user_id=user_id, viewer_id=user_id, query=query
        )

"""Routes of the requests to follow a private account."""

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
from igloo_social.api.people import people_response
from igloo_social.operations.follow_requests import accept_request, reject_request
from igloo_social.queries.people import PeopleList
from igloo_social.schemas.profiles import PeoplePageSchema
from igloo_social.schemas.relations import RelationshipSchema, relationship_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("follow_requests", __name__, description="Requests to follow a private account")


@blp.route("/v1/users/me/follow-requests", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, PeoplePageSchema)
def list_my_follow_requests(query: PageQuery) -> Response:
    """List who asks to follow one, the latest first."""
    user_id = current_identity().user_id
    with reading() as reader:
        return people_response(
            reader, people=PeopleList.REQUESTERS, user_id=user_id, viewer_id=user_id, query=query
        )


@blp.route("/v1/follow-requests/<uuid:user_id>/accept", methods=["POST"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def accept_follow_request(user_id: UUID) -> Response:
    """Let a person follow who asked to; again, it changes nothing."""
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = accept_request(session, actor_id=actor_id, requester_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/follow-requests/<uuid:user_id>/reject", methods=["POST"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def reject_follow_request(user_id: UUID) -> Response:
    """Turn a request down, without telling who asked; again, it changes nothing."""
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = reject_request(session, actor_id=actor_id, requester_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))

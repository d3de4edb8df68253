"""Routes of muting."""

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
from igloo_social.operations.mutes import mute_account, unmute_account
from igloo_social.queries.people import PeopleList
from igloo_social.schemas.mutes import Mute, MutedPeoplePageSchema, MuteSchema, muted_person_json
from igloo_social.schemas.relations import RelationshipSchema, relationship_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("mutes", __name__, description="Muting people")


@blp.route("/v1/users/<uuid:user_id>/mute", methods=["PUT"])
@access.user
@access.about(user_id="person.other")
@blp.arguments(MuteSchema, required=False)
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@patient_with_newcomers
def mute_user(mute: Mute, user_id: UUID) -> Response:
    """Mute a person, for good or for a while; again, only the end of it changes.

    Without a body it is for good. What the caller did not ask for leaves the muted person out: the home feed,
    explore, tag pages, suggestions and new notifications. Their profile, posts and comments stay where they
    are, and they never learn of it. A mute counts until its very end, by the server's clock.
    """
    with transaction() as session:
        relationship = mute_account(
            session,
            actor_id=current_identity().user_id,
            muted_id=user_id,
            duration=mute.duration,
            now=utc_now(),
        )
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/<uuid:user_id>/mute", methods=["DELETE"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def unmute_user(user_id: UUID) -> Response:
    """No longer mute a person; again, it changes nothing."""
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = unmute_account(session, actor_id=actor_id, muted_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/me/mutes", methods=["GET"])
@access.user
@blp.arguments(PageQuerySchema, location="query")
@blp.response(200, MutedPeoplePageSchema)
def list_my_mutes(query: PageQuery) -> Response:
    """List whom one mutes now, the latest first; a mute that changed its end keeps its place."""
    user_id = current_identity().user_id
    with reading() as reader:
        return people_response(
            reader,
            people=PeopleList.MUTED,
            user_id=user_id,
            viewer_id=user_id,
            query=query,
            present=muted_person_json,
        )

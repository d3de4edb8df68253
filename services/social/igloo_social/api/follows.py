"""Routes of following: whom people follow, and who follows them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity, viewer_id
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.identity import AuthenticationRequired
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.newcomers import patient_with_newcomers
from igloo_social.api.people import familiar_people_response, people_response
from igloo_social.operations.follows import follow_account, remove_follower, unfollow_account
from igloo_social.queries.people import PeopleList, require_follows_visible
from igloo_social.queries.profiles import visible_profile
from igloo_social.schemas.follows import FollowsPageSchema, FollowsQuery, FollowsQuerySchema
from igloo_social.schemas.relations import RelationshipSchema, relationship_json

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("follows", __name__, description="Following people")


@blp.route("/v1/users/<uuid:user_id>/follow", methods=["PUT"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
@patient_with_newcomers
def follow_user(user_id: UUID) -> Response:
    """Follow a person, or ask to when their account is private; again, it changes nothing.

    One follows 7,500 people at most (409 `too_many_followees`), and waits for 1,000 answers
    (409 `too_many_follow_requests`).
    """
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = follow_account(session, actor_id=actor_id, followee_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/<uuid:user_id>/follow", methods=["DELETE"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def unfollow_user(user_id: UUID) -> Response:
    """No longer follow a person, nor ask to; again, it changes nothing."""
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = unfollow_account(session, actor_id=actor_id, followee_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/me/followers/<uuid:user_id>", methods=["DELETE"])
@access.user
@access.about(user_id="person.other")
@blp.response(200, RelationshipSchema)
@blp.alt_response(404, "NOT_FOUND")
@blp.alt_response(422, "UNPROCESSABLE_ENTITY")
def remove_my_follower(user_id: UUID) -> Response:
    """Have a person no longer follow one, nor ask to; again, it changes nothing. They are not told.

    They can follow again, or ask to: blocking keeps them from it.
    """
    with transaction() as session:
        actor_id = current_identity().user_id
        relationship = remove_follower(session, actor_id=actor_id, follower_id=user_id, now=utc_now())
    return json_response(relationship_json(user_id, relationship))


@blp.route("/v1/users/<uuid:user_id>/followers", methods=["GET"])
@access.optional
@access.about(user_id="person.follows")
@blp.arguments(FollowsQuerySchema, location="query")
@blp.response(200, FollowsPageSchema)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
def list_followers(query: FollowsQuery, user_id: UUID) -> Response:
    """List a person's followers, the newest first; a private account's for its followers alone.

    With `familiar=true` only those whom the caller follows too, whom the caller followed last first, and
    `page.familiar_count` says how many these are: `limit=2` is enough for "followed by A, B and 5 others".
    """
    return _follows_response(PeopleList.FOLLOWERS, query, user_id)


@blp.route("/v1/users/<uuid:user_id>/following", methods=["GET"])
@access.optional
@access.about(user_id="person.follows")
@blp.arguments(FollowsQuerySchema, location="query")
@blp.response(200, FollowsPageSchema)
@blp.alt_response(403, "FORBIDDEN")
@blp.alt_response(404, "NOT_FOUND")
def list_following(query: FollowsQuery, user_id: UUID) -> Response:
    """List whom a person follows, the newest first; a private account's for its followers alone.

    With `familiar=true` only those whom the caller follows too, likewise.
    """
    return _follows_response(PeopleList.FOLLOWEES, query, user_id)


def _follows_response(people: PeopleList, query: FollowsQuery, user_id: UUID) -> Response:
    viewer = viewer_id()
    if query.familiar and viewer is None:
        raise AuthenticationRequired("Whom the caller follows too is known with an access token alone.")
    with reading() as reader:
        view = visible_profile(reader, user_id=user_id, viewer_id=viewer)
        require_follows_visible(view, viewer_id=viewer)
        if query.familiar and viewer is not None:
            return familiar_people_response(
                reader, people=people, user_id=user_id, viewer_id=viewer, query=query
            )
        return people_response(reader, people=people, user_id=user_id, viewer_id=viewer, query=query)

"""Routes of people: one's own profile, and others'."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity, viewer_id
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.conditional import expected_versions, tagged
from igloo_social.api.newcomers import patient_with_newcomers
from igloo_social.operations.profiles import ProfileEdit, edit_profile
from igloo_social.policies.usernames import normalised
from igloo_social.queries.profiles import ProfileView, find_profile_by_username, visible_profile
from igloo_social.schemas.profiles import (
    ProfileEditSchema,
    ProfileSchema,
    ProfilesSchema,
    UsernameQuerySchema,
    profile_json,
)

if TYPE_CHECKING:
    from flask import Response

blp = Blueprint("profiles", __name__, description="People")

_IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
_IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}


@blp.route("/v1/users/me", methods=["GET"])
@access.user
@blp.doc(parameters=[_IF_NONE_MATCH])
@blp.response(200, ProfileSchema)
@blp.alt_response(304, description="It is as the client has it")
def get_my_profile() -> Response:
    """Read one's own profile.

    The ETag is for If-None-Match here and for If-Match on PATCH.
    """
    user_id = current_identity().user_id
    with reading() as reader:
        return _profile_response(visible_profile(reader, user_id=user_id, viewer_id=user_id))


@blp.route("/v1/users/me", methods=["PATCH"])
@access.user
@blp.doc(parameters=[_IF_MATCH])
@blp.arguments(ProfileEditSchema)
@blp.response(200, ProfileSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(412, "PRECONDITION_FAILED")
def edit_my_profile(edit: ProfileEdit) -> Response:
    """Change one's own profile; what is left out stays.

    With If-Match, only while the profile is as the client read it. When an account goes public, everybody who
    asked to follow it does.
    """
    user_id = current_identity().user_id
    with transaction() as session:
        edit_profile(
            session, user_id=user_id, edit=edit, expected_versions=expected_versions(), now=utc_now()
        )
        return _profile_response(visible_profile(session, user_id=user_id, viewer_id=user_id))


@blp.route("/v1/users/<uuid:user_id>", methods=["GET"])
@access.optional
@blp.doc(parameters=[_IF_NONE_MATCH])
@blp.response(200, ProfileSchema)
@blp.alt_response(304, description="It is as the client has it")
@blp.alt_response(404, "NOT_FOUND")
@patient_with_newcomers
def get_profile(user_id: UUID) -> Response:
    """Read a person's profile, with what stands between them and the caller."""
    with reading() as reader:
        return _profile_response(visible_profile(reader, user_id=user_id, viewer_id=viewer_id()))


@blp.route("/v1/users", methods=["GET"])
@access.optional
@blp.arguments(UsernameQuerySchema, location="query")
@blp.response(200, ProfilesSchema)
def find_profiles(query: dict[str, str]) -> Response:
    """Look a person up by their username: a list of one, or of none."""
    with reading() as reader:
        view = find_profile_by_username(reader, username=normalised(query["username"]), viewer_id=viewer_id())
    found = [] if view is None else [profile_json(view)]
    return json_response({"data": found, "page": {"next_cursor": None, "prev_cursor": None}})


def _profile_response(view: ProfileView) -> Response:
    return tagged(json_response(profile_json(view)), version=view.profile.version)

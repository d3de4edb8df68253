"""Routes of people: one's own profile, and others'."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from igloo_common import access
from igloo_common.access import current_identity, viewer_id
from igloo_common.clock import utc_now
from igloo_common.conditional import IF_MATCH, IF_NONE_MATCH, expected_versions, tagged
from igloo_common.database import reading, transaction
from igloo_common.responses import json_response
from igloo_common.web import Blueprint
from igloo_social.api.newcomers import patient_with_newcomers
from igloo_social.operations.profiles import ProfileEdit, edit_profile
from igloo_social.policies.usernames import normalised
from igloo_social.queries.profiles import ProfileView, find_profile_by_username, visible_profile
from igloo_social.queries.search import search_people
from igloo_social.schemas.profiles import (
    ProfileEditSchema,
    ProfileSchema,
    person_json,
    profile_json,
)
from igloo_social.schemas.search import FoundPeopleSchema, PeopleQuery, PeopleQuerySchema

if TYPE_CHECKING:
    from flask import Response

    from igloo_common.database import Reader

blp = Blueprint("profiles", __name__, description="People")


@blp.route("/v1/users/me", methods=["GET"])
@access.user
@blp.doc(parameters=[IF_NONE_MATCH])
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
@blp.doc(parameters=[IF_MATCH])
@blp.arguments(ProfileEditSchema)
@blp.response(200, ProfileSchema)
@blp.alt_response(409, "CONFLICT")
@blp.alt_response(412, "PRECONDITION_FAILED")
def edit_my_profile(edit: ProfileEdit) -> Response:
    """Change one's own profile; what is left out stays.

    With If-Match, only while the profile is as the client read it: else 412 `profile_changed`. When an
    account goes public, everybody who asked to follow it does.

    The first username of one's own may be chosen at any time, the next a fortnight later. The one before it
    stays reserved: its owner may take it back, and nobody else gets it. 409 `username_taken`: another has or
    had it; `username_changed_recently`: see `changeable_at`.
    """
    user_id = current_identity().user_id
    with transaction() as session:
        edit_profile(
            session, user_id=user_id, edit=edit, expected_versions=expected_versions(), now=utc_now()
        )
        return _profile_response(visible_profile(session, user_id=user_id, viewer_id=user_id))


@blp.route("/v1/users/<uuid:user_id>", methods=["GET"])
@access.optional
@access.about(user_id="person.visible")
@blp.doc(parameters=[IF_NONE_MATCH])
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
@blp.arguments(PeopleQuerySchema, location="query")
@blp.response(200, FoundPeopleSchema)
def find_profiles(query: PeopleQuery) -> Response:
    """Look a person up by their exact username, or search for people; give either `username` or `q`.

    With `username`: a list of one profile, or of none.

    With `q`: people in short, in this order: whose username it is; whose username begins so; whose name does;
    of whose name a later word does (in Korean, Chinese and Japanese, a later syllable or character); and, for
    three characters and more, whose username or name is nearly that. Among equals, whom the caller follows
    come first. Case, accents, signs and a leading @ make no difference. One page, the best `limit` of them.
    """
    with reading() as reader:
        found = _found(reader, query)
    return json_response({"data": found, "page": {"next_cursor": None, "prev_cursor": None}})


def _found(reader: Reader, query: PeopleQuery) -> list[dict[str, object]]:
    viewer = viewer_id()
    if query.username is not None:
        view = find_profile_by_username(reader, username=normalised(query.username), viewer_id=viewer)
        return [] if view is None else [profile_json(view)]
    typed, username = query.typed or "", query.typed_username
    people = search_people(reader, typed=typed, username=username, viewer_id=viewer, limit=query.limit)
    return [person_json(person) for person in people]


def _profile_response(view: ProfileView) -> Response:
    return tagged(json_response(profile_json(view)), version=view.profile.version)

"""The Graph API: test users, debug_token, people and permissions."""

from flask import Blueprint, Response, request

from igloo_local.facebook import callbacks
from igloo_local.facebook.authorization import carries_token
from igloo_local.facebook.directory import directory
from igloo_local.facebook.errors import GraphError, ObjectUnknown, ParameterInvalid
from igloo_local.facebook.people import Person, Token
from igloo_local.facebook.permissions import ALL_PERMISSIONS, parse_permissions
from igloo_local.facebook.profiles import describe, draw_avatar

blueprint = Blueprint("graph", __name__)

_DEFAULT_NAME = "Open Graph Test User"


@blueprint.post("/<app_id>/accounts/test-users")
def create_test_user(app_id: str) -> dict[str, object]:
    """Make a person who has the app installed.

    `permissions` says what the person lets the app see: everything that igloo asks for, when it is left out.
    The real call needs the app's access token. Here a call without any will do, so that whoever sits at this
    machine can make a person; a wrong one is refused all the same.
    """
    directory().authorization.require_app(app_id)
    if carries_token():
        _require_own_app(app_id)
    name = request.values.get("name", "").strip() or _DEFAULT_NAME
    wanted = request.values.get("permissions")
    permissions = ALL_PERMISSIONS if wanted is None else parse_permissions(wanted)
    person = directory().people.add(app_id=app_id, name=name, permissions=permissions)
    return {**_test_user(person), "email": f"{person.id}@example.invalid"}


@blueprint.get("/<app_id>/accounts/test-users")
def list_test_users(app_id: str) -> dict[str, object]:
    """List the people of the app with a token for each."""
    _require_own_app(app_id)
    return {"data": [_test_user(person) for person in directory().people.all_of(app_id)], "paging": {}}


@blueprint.delete("/<person_id>")
def delete_test_user(person_id: str) -> dict[str, object]:
    """Remove a person of the calling app."""
    if directory().person(person_id).app_id != directory().authorization.calling_app():
        raise ObjectUnknown(person_id)
    directory().people.remove(person_id)
    return {"success": True}


@blueprint.get("/debug_token")
def debug_token() -> dict[str, object]:
    """Say what a token is: https://developers.facebook.com/docs/graph-api/reference/debug_token/."""
    app_id = directory().authorization.calling_app()
    text = request.args.get("input_token")
    if not text:
        raise ParameterInvalid("The parameter input_token is required")
    try:
        token = directory().authorization.valid(text)
    except GraphError as error:
        return {"data": {"error": error.short_form(), "is_valid": False, "scopes": []}}
    if token.app_id != app_id:
        raise ParameterInvalid("The App_id in the input_token did not match the Viewing App")
    return {"data": _token_facts(token)}


@blueprint.get("/me")
def show_me() -> dict[str, object]:
    """Describe the person whose token this is."""
    return _describe(directory().person(directory().authorization.calling_user().person_id))


@blueprint.get("/<person_id>")
def show_person(person_id: str) -> dict[str, object]:
    """Describe a person: oneself or a friend."""
    token = directory().authorization.calling_user()
    visible = {token.person_id, *(friend.id for friend in directory().people.friends_of(token.person_id))}
    if person_id not in visible:
        raise ObjectUnknown(person_id)
    return _describe(directory().person(person_id))


@blueprint.delete("/me/permissions")
def remove_app() -> dict[str, object]:
    """Remove the app from the person's account: every token ends, and the app is told."""
    token = directory().authorization.calling_user()
    directory().people.revoke_tokens(token.person_id)
    callbacks.tell_deauthorized(directory().settings, directory().person(token.person_id))
    return {"success": True}


@blueprint.get("/pictures/<person_id>.svg")
def show_picture(person_id: str) -> Response:
    """Draw the person's profile picture."""
    response = Response(draw_avatar(directory().person(person_id)), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _require_own_app(app_id: str) -> None:
    if directory().authorization.calling_app() != app_id:
        raise ObjectUnknown(app_id)


def _test_user(person: Person) -> dict[str, object]:
    login_url = f"{directory().settings.public_url}/dialog/people/{person.id}"
    token = directory().people.newest_token(person).token
    return {"id": person.id, "access_token": token, "login_url": login_url}


def _describe(person: Person) -> dict[str, object]:
    return describe(person, fields=request.args.get("fields"), base_url=directory().settings.public_url)


def _token_facts(token: Token) -> dict[str, object]:
    return {
        "app_id": token.app_id,
        "type": "USER",
        "application": "igloo",
        "data_access_expires_at": token.expires_at,
        "expires_at": token.expires_at,
        "is_valid": True,
        "issued_at": token.issued_at,
        "scopes": sorted(token.permissions),
        "user_id": token.person_id,
    }

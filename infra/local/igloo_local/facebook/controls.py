"""What only a stand-in has: calls that do what a person would do on a phone or on facebook.com."""

import json

from flask import Blueprint, Response, request

from igloo_local.facebook import callbacks
from igloo_local.facebook.directory import directory
from igloo_local.facebook.errors import ParameterInvalid
from igloo_local.facebook.friends import friends_for_app
from igloo_local.facebook.id_tokens import Fault, Signature
from igloo_local.facebook.people import TOKEN_SECONDS
from igloo_local.facebook.permissions import parse_permissions
from igloo_local.facebook.profiles import picture_url
from igloo_local.facebook.versions import without_version

blueprint = Blueprint("controls", __name__, url_prefix="/stand-in")


@blueprint.post("/people/<person_id>/tokens")
def log_in(person_id: str) -> dict[str, object]:
    """Log a person in as the SDK does.

    A negative `expires_in` gives a token that has expired; `permissions` one that may see less, or more.
    """
    seconds = request.values.get("expires_in", default=TOKEN_SECONDS, type=int)
    wanted = request.values.get("permissions")
    token = directory().people.issue_token(
        directory().person(person_id),
        seconds=seconds,
        permissions=None if wanted is None else parse_permissions(wanted),
    )
    return {"access_token": token.token, "expires_in": seconds, "permissions": sorted(token.permissions)}


@blueprint.post("/people/<person_id>/permissions")
def change_permissions(person_id: str) -> dict[str, object]:
    """Change what a person lets the app see, as in their settings: also what the tokens they have may see."""
    permissions = parse_permissions(request.values.get("permissions", ""))
    directory().people.permit(directory().person(person_id).id, permissions)
    return {"permissions": sorted(permissions)}


@blueprint.post("/people/<person_id>/id-tokens")
def limited_login(person_id: str) -> dict[str, object]:
    """Log a person in with Limited Login, which gives an id token and nothing else.

    For a token with a fault: `claims` and `header` are JSON objects whose members take the place of the true
    ones, null leaving one out; `signature` is `unknown_key`, `none` or `public_key_as_secret`.
    """
    person = directory().person(person_id)
    nonce = request.values.get("nonce")
    if not nonce:
        raise ParameterInvalid("The parameter nonce is required")
    id_token = directory().id_tokens.issue(
        person,
        picture=picture_url(person.id, directory().settings.public_url),
        nonce=nonce,
        friends=friends_for_app(person),
        fault=_wanted_fault(),
    )
    return {"id_token": id_token}


@blueprint.post("/keys/rotate")
def rotate_keys() -> dict[str, object]:
    """Sign id tokens with a new key; the one before is published for `keep_seconds`, 3600 if not said."""
    keep = request.values.get("keep_seconds", default=3600.0, type=float)
    key = directory().id_tokens.keys.rotate(keep_seconds=keep)
    return {"kid": key.kid, "published": [each.kid for each in directory().id_tokens.keys.published]}


@blueprint.post("/faults")
def add_fault() -> dict[str, object]:
    """Have the next `times` calls of `path` (`/me`, `/debug_token`, …) go wrong in the way that `kind` says.

    `slow`, `500`, `html`, `truncated`, `other_shape`, `huge`, `redirect`, `throttled` or `app_refused`; each
    waits for `seconds` first.
    """
    directory().faults.add(
        without_version(request.values.get("path", "")),
        kind=request.values.get("kind", ""),
        times=request.values.get("times", default=1, type=int),
        seconds=request.values.get("seconds", default=0.0, type=float),
    )
    return {"success": True}


@blueprint.delete("/faults")
def clear_faults() -> dict[str, object]:
    """Have nothing go wrong any more."""
    directory().faults.clear()
    return {"success": True}


@blueprint.post("/people/<person_id>/deauthorize")
def remove_app(person_id: str) -> dict[str, object]:
    """Remove the app in the person's settings; says whether the app's callback took it."""
    person = directory().person(person_id)
    directory().people.revoke_tokens(person.id)
    return {"success": callbacks.tell_deauthorized(directory().settings, person)}


@blueprint.post("/people/<person_id>/data-deletion")
def request_deletion(person_id: str) -> Response:
    """Ask the app to delete the person's data, and return what the app answered."""
    answer = callbacks.ask_data_deletion(directory().settings, directory().person(person_id))
    return Response(answer.content, status=answer.status_code, mimetype=answer.headers.get("Content-Type"))


def _wanted_fault() -> Fault:
    try:
        return Fault(
            claims=json.loads(request.values.get("claims", "{}")),
            header=json.loads(request.values.get("header", "{}")),
            signature=Signature(request.values.get("signature", Signature.GOOD)),
        )
    except ValueError as error:
        raise ParameterInvalid(f"This is no fault of an id token: {error}") from error

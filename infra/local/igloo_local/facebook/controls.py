"""What only a stand-in has: calls that do what a person would do on a phone or on facebook.com."""

from flask import Blueprint, Response, request

from igloo_local.facebook import callbacks
from igloo_local.facebook.directory import directory
from igloo_local.facebook.errors import ParameterInvalid
from igloo_local.facebook.people import TOKEN_SECONDS
from igloo_local.facebook.profiles import picture_url

blueprint = Blueprint("controls", __name__, url_prefix="/stand-in")


@blueprint.post("/people/<person_id>/tokens")
def log_in(person_id: str) -> dict[str, object]:
    """Log a person in as the SDK does; a negative `expires_in` gives a token that has expired."""
    seconds = request.values.get("expires_in", default=TOKEN_SECONDS, type=int)
    token = directory().people.issue_token(directory().person(person_id), seconds=seconds)
    return {"access_token": token.token, "expires_in": seconds}


@blueprint.post("/people/<person_id>/id-tokens")
def limited_login(person_id: str) -> dict[str, object]:
    """Log a person in with Limited Login, which gives an id token and nothing else."""
    person = directory().person(person_id)
    nonce = request.values.get("nonce")
    if not nonce:
        raise ParameterInvalid("The parameter nonce is required")
    picture = picture_url(person.id, directory().settings.public_url)
    id_token = directory().id_tokens.issue(
        app_id=person.app_id, person_id=person.id, name=person.name, picture=picture, nonce=nonce
    )
    return {"id_token": id_token}


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

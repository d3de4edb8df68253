"""OAuth as Facebook does it: the login dialog for browsers and the exchange of its code.

https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
"""

import hmac
import time
from html import escape
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from igloo_local.facebook.directory import directory
from igloo_local.facebook.errors import GraphError, ParameterInvalid
from igloo_local.facebook.friends import friends_for_app
from igloo_local.facebook.id_tokens import ISSUER
from igloo_local.facebook.people import TOKEN_SECONDS, Code, Person
from igloo_local.facebook.permissions import PUBLIC_PROFILE, USER_FRIENDS, granted, parse_permissions
from igloo_local.facebook.profiles import picture_url
from igloo_local.facebook.signing import challenge_of

blueprint = Blueprint("oauth", __name__)

_COOKIE = "person_id"
_PAGE = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Log in with the Facebook stand-in</title><link rel="icon" href="data:,">
<style>body{{font:16px system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}
a{{display:flex;gap:.8rem;align-items:center;padding:.5rem;color:inherit;text-decoration:none;border-radius:.6rem}}
a:hover,a:focus{{background:#e8f0fe}}img{{width:40px;border-radius:50%}}</style>
<h1>Continue as…</h1><p>This is a stand-in for Facebook: nobody here is real.</p>
<nav>{people}<a href="{cancel}">Cancel</a></nav></html>
"""
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti", "nonce", "name", "picture", "user_friends"]
_PERSON = '<a href="{url}"><img src="{picture}" alt="">{name}</a>'


@blueprint.get("/dialog/oauth")
def login_dialog() -> AnyResponse:
    """Ask which person logs in, then redirect with a code; `person_id` answers at once, for scripts."""
    app_id, back = _checked_client()
    chosen = request.args.get("person_id") or request.cookies.get(_COOKIE)
    if chosen is None:
        return _choice_page(app_id, back)
    person = directory().person(chosen)
    if person.app_id != app_id:
        raise ParameterInvalid("This person does not use the app")
    return redirect(_with_query(back, {"code": _new_code(person, back), **_state()}))


@blueprint.get("/dialog/people/<person_id>")
def log_in(person_id: str) -> Response:
    """Log this browser in as a test user: what Graph's `login_url` is for."""
    person = directory().person(person_id)
    response = Response(f"This browser is now logged in as {escape(person.name)}.")
    response.set_cookie(_COOKIE, person.id, httponly=True, samesite="Lax")
    return response


@blueprint.route("/oauth/access_token", methods=["GET", "POST"])
def exchange() -> dict[str, object]:
    """Exchange a code, an access token, or the app's own credentials for an access token."""
    app_id = request.values.get("client_id", "")
    directory().authorization.secret_of(app_id, request.values.get("client_secret", ""))
    match request.values.get("grant_type", "authorization_code"):
        case "client_credentials":
            return {"access_token": f"{app_id}|{directory().settings.apps[app_id]}", "token_type": "bearer"}
        case "fb_exchange_token":
            token = directory().authorization.valid(request.values.get("fb_exchange_token", ""))
            return _token_answer(directory().person(token.person_id), token.permissions)
        case _:
            return _redeem(app_id)


@blueprint.get("/.well-known/oauth/openid/jwks/")
def show_jwks() -> dict[str, object]:
    """Publish the keys that sign Limited Login's id tokens."""
    return directory().id_tokens.jwks()


@blueprint.get("/.well-known/openid-configuration/")
def show_openid_configuration() -> dict[str, object]:
    """Publish what OpenID Connect clients discover."""
    base_url = directory().settings.public_url
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{base_url}/dialog/oauth",
        "jwks_uri": f"{base_url}/.well-known/oauth/openid/jwks/",
        "response_types_supported": ["id_token", "token id_token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": _CLAIMS,
    }


def _checked_client() -> tuple[str, str]:
    app_id, back = request.args.get("client_id", ""), request.args.get("redirect_uri", "")
    if app_id not in directory().settings.apps:
        raise GraphError("Error validating application. Invalid application ID.", code=101)
    if not back:
        raise ParameterInvalid("The parameter redirect_uri is required")
    return app_id, back


def _choice_page(app_id: str, back: str) -> Response:
    base_url = directory().settings.public_url
    rows = "".join(
        _PERSON.format(
            url=escape(_with_query(request.full_path.rstrip("?"), {"person_id": person.id})),
            picture=escape(picture_url(person.id, base_url)),
            name=escape(person.name),
        )
        for person in directory().people.all_of(app_id)
    )
    refusal = {"error": "access_denied", "error_code": "200", "error_reason": "user_denied"}
    refusal["error_description"] = "Permissions error"
    return Response(_PAGE.format(people=rows, cancel=escape(_with_query(back, {**refusal, **_state()}))))


def _new_code(person: Person, back: str) -> str:
    if request.args.get("code_challenge_method", "S256") != "S256":
        raise ParameterInvalid("code_challenge_method must be S256")
    scope = request.args.get("scope", PUBLIC_PROFILE)
    return directory().people.issue_code(
        person,
        redirect_uri=back,
        code_challenge=request.args.get("code_challenge"),
        nonce=request.args.get("nonce"),
        permissions=granted(parse_permissions(scope.replace(" ", ",")), allowed=person.permissions),
    )


def _redeem(app_id: str) -> dict[str, object]:
    code = directory().people.code(request.values.get("code", ""))
    if code is None or code.app_id != app_id:
        raise GraphError("Invalid verification code format.", code=100)
    _check_redirect(code)
    _check_verifier(code)
    if code.expires_at <= time.time():
        raise GraphError("This authorization code has expired.", code=100, subcode=36007)
    if not directory().people.use_code(code.code):
        raise GraphError("This authorization code has been used.", code=100, subcode=36009)
    person = directory().person(code.person_id)
    return {**_token_answer(person, code.permissions), **_id_token(person, code)}


def _check_redirect(code: Code) -> None:
    if request.values.get("redirect_uri") != code.redirect_uri:
        raise GraphError(
            "Error validating verification code. Please make sure your redirect_uri is identical to the one "
            "you used in the OAuth dialog request",
            code=100,
            subcode=36008,
        )


def _check_verifier(code: Code) -> None:
    if code.code_challenge is None:
        return
    given = challenge_of(request.values.get("code_verifier", ""))
    if not hmac.compare_digest(given, code.code_challenge):
        raise GraphError("Invalid code_verifier provided.", code=100, subcode=36010)


def _token_answer(person: Person, permissions: frozenset[str]) -> dict[str, object]:
    token = directory().people.issue_token(person, permissions=permissions)
    return {"access_token": token.token, "token_type": "bearer", "expires_in": TOKEN_SECONDS}


def _id_token(person: Person, code: Code) -> dict[str, object]:
    if code.nonce is None:
        return {}
    picture = picture_url(person.id, directory().settings.public_url)
    friends = friends_for_app(person) if USER_FRIENDS in code.permissions else None
    token = directory().id_tokens.issue(person, picture=picture, nonce=code.nonce, friends=friends)
    return {"id_token": token}


def _state() -> dict[str, str]:
    return {"state": request.args["state"]} if "state" in request.args else {}


def _with_query(url: str, values: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(values)}"

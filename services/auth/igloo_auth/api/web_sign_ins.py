"""Signing in through a browser: igloo's authorization endpoint, with Facebook's dialog behind it."""

from __future__ import annotations

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from igloo_auth.api.authorization_requests import (
    ReturnAddress,
    SentBack,
    load_authorization_request,
    load_callback,
)
from igloo_auth.api.browser_answers import answering_a_browser, redirection, returned, sent_back
from igloo_auth.api.browser_bindings import bind, brought, unbind
from igloo_auth.api.friend_lookups import look_up_friends
from igloo_auth.api.limits import charge_sign_in, charge_web_sign_in
from igloo_auth.api.oauth import NOT_STORED
from igloo_auth.facebook.dialog import FacebookDialog
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.facebook.seats import FacebookSeats
from igloo_auth.operations.accounts import find_or_create_account
from igloo_auth.operations.authorization_codes import issue_authorization_code
from igloo_auth.operations.grants import GrantRefused
from igloo_auth.operations.web_sign_ins import WebSignIn, begin_web_sign_in, finish_web_sign_in
from igloo_auth.schemas.web_sign_ins import AuthorizationSchema, CallbackSchema, FacebookAnswer
from igloo_common import access
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import BadGateway, RateLimited, Unavailable
from igloo_common.rate_limits import RATE_LIMIT_HEADERS, RATE_LIMITED
from igloo_common.web import Blueprint, provided

blp = Blueprint("web_sign_ins", __name__, description="Signing in through a browser.")


@blp.route("/v1/auth/facebook/authorize", methods=["GET"])
@access.public
@blp.doc(parameters=[{"in": "query", "schema": AuthorizationSchema}])
@blp.response(
    302, description="To Facebook's dialog; or back to the client, with `error`.", headers=RATE_LIMIT_HEADERS
)
@blp.alt_response(429, **RATE_LIMITED)
@answering_a_browser
def authorize() -> Response:
    """Begin to sign somebody in through a browser (RFC 6749 section 4.1, RFC 7636, RFC 8252).

    Open it in the person's browser, never in a web view. It ends at `redirect_uri` with `code`, good for a
    minute and once, `state` as it was sent, and `iss` (RFC 9207), to be compared with the issuer. Trade the
    code at `POST /v1/auth/token` with `grant_type=authorization_code`. A refusal ends there too, with `error`
    and `error_description` of RFC 6749 and with a stable `error_code`: `sign_in_cancelled`,
    `account_suspended`, `facebook_unavailable` and others. While `client_id` or `redirect_uri` is not good,
    nothing is sent anywhere: the answer is a problem document, or a page for a person.
    """
    charge_web_sign_in()
    sign_in = load_authorization_request()
    with transaction() as session:
        begun = begin_web_sign_in(session, sign_in=sign_in, now=utc_now())
    response = redirection(provided(FacebookDialog).address(state=begun.state))
    bind(response, begun)
    return response


@blp.route("/v1/auth/facebook/callback", methods=["GET"])
@access.public
@blp.doc(parameters=[{"in": "query", "schema": CallbackSchema}])
@blp.response(302, description="Back to the client, with `code` or with `error`.")
@answering_a_browser
def receive_from_facebook() -> Response:
    """Take a browser back from Facebook's dialog; no client calls this.

    The state is good once, for ten minutes, in the browser that was sent away: anything else is 400
    `state_invalid`, with `reason` `unknown`, `expired` or `other_browser`.
    """
    state, answer = load_callback()
    with transaction() as session:
        sign_in = finish_web_sign_in(session, presented=brought(state), now=utc_now())
    response = _outcome(sign_in, state=state, answer=answer)
    unbind(response, state)
    return response


def _refuse_head() -> None:
    """Refuse HEAD, which Flask lets into every GET: who only looks must not use up what is good once."""
    if request.method == "HEAD":
        raise MethodNotAllowed(["GET"])


def _keep_nowhere(response: Response) -> Response:
    response.headers.update(NOT_STORED)
    return response


def _outcome(sign_in: WebSignIn, *, state: str, answer: FacebookAnswer) -> Response:
    to = ReturnAddress(redirect_uri=sign_in.redirect_uri, state=sign_in.client_state)
    try:
        return returned(to, {"code": _code(sign_in, state=state, answer=answer, to=to)})
    except SentBack as refusal:
        return sent_back(refusal)
    except GrantRefused as refusal:
        refused = SentBack(to, error="access_denied", code=refusal.code, description=refusal.detail)
    except (Unavailable, RateLimited) as refusal:
        refused = SentBack(to, error="temporarily_unavailable", code=refusal.code, description=refusal.detail)
    except BadGateway as refusal:
        refused = SentBack(to, error="server_error", code=refusal.code, description=refusal.detail)
    return sent_back(refused)


def _code(sign_in: WebSignIn, *, state: str, answer: FacebookAnswer, to: ReturnAddress) -> str:
    """Find out who came back, and make a code for the client; Facebook is asked outside of transactions."""
    # Whoever says both has not signed anybody in.
    if answer.code is None or answer.error is not None:
        raise _not_signed_in(to, answer)
    with provided(FacebookSeats).taken():
        user_token = provided(FacebookDialog).user_token(code=answer.code, state=state)
        holder = provided(FacebookGraph).identify(user_token)
    charge_sign_in(holder.facebook_user_id)
    now = utc_now()
    with transaction() as session:
        account_id = find_or_create_account(session, person=holder, now=now)
        code = issue_authorization_code(session, web_sign_in=sign_in, account_id=account_id, now=now)
        look_up_friends(session, account_id=account_id, holder=holder, user_token=user_token, now=now)
        return code


def _not_signed_in(to: ReturnAddress, answer: FacebookAnswer) -> SentBack:
    if answer.error == "access_denied":
        return SentBack(
            to,
            error="access_denied",
            code="sign_in_cancelled",
            description="The person did not sign in with Facebook.",
        )
    # Facebook words errors of an app's set-up in parameters of its own, without `error`.
    return SentBack(
        to,
        error="server_error",
        code="facebook_sign_in_failed",
        description="Facebook could not sign the person in.",
    )


blp.before_request(_refuse_head)
blp.after_request(_keep_nowhere)

"""Requests to sign somebody in through a browser: taken, refused before the person, or sent back refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import request
from marshmallow import Schema, ValidationError

from igloo_auth.api.oauth import InvalidRequest
from igloo_auth.operations.web_sign_ins import WebSignIn
from igloo_auth.policies.redirects import chosen_redirect
from igloo_auth.schemas.web_sign_ins import (
    RESPONSE_TYPE,
    AddressSchema,
    AuthorizationSchema,
    CallbackSchema,
    FacebookAnswer,
)
from igloo_auth.settings import Settings
from igloo_common.field_errors import field_errors
from igloo_common.web import provided


class ClientUnknown(InvalidRequest):
    """No client of this name is registered."""


class RedirectUriNotAllowed(InvalidRequest):
    """The address is not one that the client has registered; or it has several, and none was named."""


@dataclass(frozen=True, kw_only=True)
class ReturnAddress:
    """Where a client waits for the answer, and the word by which it recognises its own request."""

    redirect_uri: str
    state: str | None


class SentBack(Exception):
    """A refusal that is the client's to know (RFC 6749 section 4.1.2.1).

    `code` is our stable word for what `error`, of which there are few, does not tell apart.
    """

    def __init__(self, to: ReturnAddress, *, error: str, code: str, description: str) -> None:
        super().__init__(description)
        self.to = to
        self.error = error
        self.code = code


def load_authorization_request() -> WebSignIn:
    """Return what the query of the current request asks for.

    Raises:
        InvalidRequest: When it is not certain who asks, or that the answer would reach them.
        SentBack: When anything else is wrong with it.
    """
    to = _return_address()
    _refuse_by_name(to)
    try:
        asked = AuthorizationSchema().load(request.args.to_dict())
    except ValidationError as error:
        first = field_errors(error.messages)[0]
        raise SentBack(
            to,
            error="invalid_request",
            code="invalid_request",
            description=f"{first.pointer.lstrip('/')}: {first.detail}",
        ) from error
    return WebSignIn(
        client_id=asked["client_id"],
        redirect_uri=to.redirect_uri,
        client_state=asked["state"],
        code_challenge=asked["code_challenge"],
    )


def load_callback() -> tuple[str, FacebookAnswer]:
    """Return the state that came back from Facebook, and what came with it."""
    _refuse_repeated(CallbackSchema)
    state, answer = CallbackSchema().load(request.args.to_dict())
    return state, answer


def _return_address() -> ReturnAddress:
    _refuse_repeated(AuthorizationSchema)
    try:
        asked = AddressSchema().load(request.args.to_dict())
    except ValidationError as error:
        raise InvalidRequest(
            "The request does not say which client it is.",
            errors=field_errors(error.messages, location="query"),
        ) from error
    registered = provided(Settings).oauth_clients.get(asked["client_id"])
    if registered is None:
        raise ClientUnknown("No client of this name is registered.")
    redirect_uri = chosen_redirect(asked["redirect_uri"], registered=registered)
    if redirect_uri is None:
        raise RedirectUriNotAllowed("redirect_uri is not one that this client has registered.")
    return ReturnAddress(redirect_uri=redirect_uri, state=request.args.get("state") or None)


def _refuse_by_name(to: ReturnAddress) -> None:
    """Refuse what has an error of its own."""
    if request.args.get("response_type", RESPONSE_TYPE) not in (RESPONSE_TYPE, ""):
        raise SentBack(
            to,
            error="unsupported_response_type",
            code="unsupported_response_type",
            description=f"response_type must be {RESPONSE_TYPE}.",
        )
    # OpenID Connect Core section 6: parameters inside of an object would go unread.
    for name in ("request", "request_uri"):
        if request.args.get(name):
            raise SentBack(
                to,
                error=f"{name}_not_supported",
                code=f"{name}_not_supported",
                description="Send the parameters themselves.",
            )


def _refuse_repeated(schema: type[Schema]) -> None:
    """Refuse a parameter that came twice (RFC 6749 section 3.1), also one that says where to answer."""
    names: Collection[str] = schema._declared_fields
    repeated = sorted(name for name in names if len(request.args.getlist(name)) > 1)
    if repeated:
        raise InvalidRequest(f"A parameter was sent more than once: {', '.join(repeated)}.")

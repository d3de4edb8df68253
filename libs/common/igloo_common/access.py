"""Who may call an operation, and of what it decides by itself: written into its OpenAPI document."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any, Final, TypeVar

from blinker import Signal
from flask import Flask, current_app, g, request

from igloo_common.errors import Forbidden
from igloo_common.identity import (
    AuthenticationRequired,
    Identity,
    InvalidToken,
    current_identity,
    viewer_id,
)
from igloo_common.wiring import current_wiring

__all__ = [
    "ACCESS_MEMBER",
    "InsufficientScope",
    "about",
    "assert_every_operation_has_access",
    "current_identity",
    "identified",
    "optional",
    "public",
    "scope",
    "user",
    "viewer_id",
]

ACCESS_MEMBER: Final = "x-igloo-access"
_BEARER: Final[list[dict[str, list[str]]]] = [{"bearer": []}]
_METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})

View = TypeVar("View", bound=Callable[..., Any])

identified: Final = Signal()
"""Sent with `identity` when a request's caller is known, before its view and any transaction."""


class InsufficientScope(Forbidden):
    """The access token does not carry the scope that this operation asks for."""

    def __init__(self, name: str) -> None:
        challenge = f'Bearer realm="igloo", error="insufficient_scope", scope="{name}"'
        super().__init__(f"This needs the scope {name}.", headers={"WWW-Authenticate": challenge})


def public(view: View) -> View:
    """Let anybody call; an access token that comes along is not even looked at."""
    return _documented(view, "public", [])


def optional(view: View) -> View:
    """Let anybody call, and know the caller when a token comes along; a bad token is refused."""
    return _guarded(view, "optional", [{}, *_BEARER], lambda: _identify(required=False))


def user(view: View) -> View:
    """Let signed-in people call."""
    return _guarded(view, "user", _BEARER, lambda: _identify(required=True))


def scope(name: str) -> Callable[[View], View]:
    """Let signed-in people call whose token carries the scope."""

    def check() -> None:
        identity = _identify(required=True)
        if identity is None or name not in identity.scopes:
            raise InsufficientScope(name)

    return lambda view: _guarded(view, f"scope:{name}", _BEARER, check)


def about(**rules: str) -> Callable[[View], View]:
    """Say of each thing that a request names by what rule the operation lets the caller near it.

    The operation itself enforces that; this writes it down, so that tests can try every caller against it.
    `about(post_id="post.visible")` names a path parameter, a field of the query or one of the body; the
    service's documentation says what its rules mean.
    """

    def decorate(view: View) -> View:
        return _with_access(view, {"objects": dict(sorted(rules.items()))}, {})

    return decorate


def assert_every_operation_has_access(app: Flask) -> None:
    """Fail unless every documented operation says who may call it; for each service's structural test."""
    silent = [
        f"{method.upper()} {path}"
        for path, operations in _paths(app).items()
        for method, operation in operations.items()
        if method in _METHODS and not operation.get(ACCESS_MEMBER, {}).get("caller")
    ]
    if silent:
        raise AssertionError(f"These operations do not say who may call them: {', '.join(silent)}")


def _identify(*, required: bool) -> Identity | None:
    header: str | None = request.environ.get("HTTP_AUTHORIZATION")
    if header is None:
        if required:
            raise AuthenticationRequired("This operation needs an access token.")
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken("The Authorization header must be a Bearer token.")
    identity = current_wiring().verifier.verify(token.strip())
    g.identity = identity
    identified.send(current_app._get_current_object(), identity=identity)  # type: ignore[attr-defined]  # a proxy
    return identity


def _guarded(view: View, rule: str, security: list[Any], check: Callable[[], object]) -> View:
    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> object:
        check()
        return view(*args, **kwargs)

    return _documented(guarded, rule, security)  # type: ignore[return-value]  # wraps() keeps the signature


def _documented(view: View, rule: str, security: list[Any]) -> View:
    return _with_access(view, {"caller": rule}, {"security": security})


def _with_access(view: View, access: Mapping[str, object], members: Mapping[str, object]) -> View:
    documentation = deepcopy(getattr(view, "_apidoc", {}))
    document = documentation.setdefault("manual_doc", {})
    document.update(members)
    document.setdefault(ACCESS_MEMBER, {}).update(access)
    view._apidoc = documentation  # type: ignore[attr-defined]  # where flask-smorest keeps a view's document
    return view


def _paths(app: Flask) -> Mapping[str, Mapping[str, Any]]:
    documents = [
        entry["ext_obj"].spec.to_dict() for entry in app.extensions["flask-smorest"]["apis"].values()
    ]
    return {path: operations for document in documents for path, operations in document["paths"].items()}

"""How OAuth requests are read and refused: form or JSON, with the error names of RFC 6749."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request
from marshmallow import Schema
from werkzeug.exceptions import UnsupportedMediaType

from igloo_common import inputs
from igloo_common.errors import FieldError, Malformed, Unauthenticated

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
# Both are asked for by RFC 6749 section 5.1; nothing newer than HTTP/1.0 looks at the second.
NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class InvalidRequest(Malformed):
    """The request lacks a parameter, repeats one, or is not what the endpoint reads."""

    def __init__(self, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail, errors=errors, extra={"error": "invalid_request"})


class MalformedJson(InvalidRequest):
    """The body says that it is JSON, and is not."""


class UnsupportedGrantType(Malformed):
    """The token endpoint knows no such grant."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, extra={"error": "unsupported_grant_type"})


class InvalidClient(Unauthenticated):
    """A client tried to prove who it is; ours are in everybody's hands, and have nothing to prove it by."""

    def __init__(self, detail: str) -> None:
        # RFC 6749 section 5.2: the challenge names the scheme that the client tried.
        headers = {"WWW-Authenticate": 'Basic realm="igloo"'}
        super().__init__(detail, headers=headers, extra={"error": "invalid_client"})


def form_or_json(*schemas: Schema) -> dict[str, Any]:
    """Document a body that may come either way, and be any of the schemas."""
    schema = {"oneOf": list(schemas)} if len(schemas) > 1 else schemas[0]
    return {"required": True, "content": {kind: {"schema": schema} for kind in (FORM, JSON)}}


def load(schema: Schema) -> Any:  # noqa: ANN401 - the schema's own command
    """Return the command that the body of the current request makes.

    What elsewhere is 415 or 422 is 400 here, as RFC 6749 section 5.2 asks.

    Raises:
        InvalidRequest: Naming each parameter that is missing or not acceptable.
        InvalidClient: When a name and password came along; a client says who it is in `client_id`.
    """
    if request.authorization is not None and request.authorization.type == "basic":
        raise InvalidClient("Clients have no password here: send client_id in the body.")
    # Parameters must not come more than once (RFC 6749 section 3.2): which one would be meant?
    if any(len(values) > 1 for values in request.form.listvalues()):
        raise InvalidRequest("A parameter was sent more than once.")
    try:
        return inputs.load(schema, "json_or_form", required=True)
    except inputs.ValidationFailed as error:
        raise InvalidRequest(error.detail, errors=error.errors) from error
    except inputs.MalformedJson as error:
        raise MalformedJson("The body is not JSON.") from error
    except UnsupportedMediaType as error:
        raise InvalidRequest(f"Send {FORM} or {JSON}.") from error

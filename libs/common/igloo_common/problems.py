"""Every error as a problem document (RFC 9457), with a stable code and the request's id."""

import logging
import re
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Flask, Response
from marshmallow import INCLUDE, Schema, fields
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from igloo_common import errors
from igloo_common.tracing import current_trace

PROBLEM_TYPE: Final = "application/problem+json"

_LOG = logging.getLogger(__name__)
_STATUSES: Final[dict[type[errors.IglooError], int]] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.RateLimited: 429,
    errors.BadGateway: 502,
    errors.Unavailable: 503,
}
# The same words as the categories use, where HTTP's own names differ from them.
_HTTP_CODES: Final = {
    400: "malformed",
    413: "too_large",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
# PostgreSQL's read_only_sql_transaction (another server is the first), idle_in_transaction_session_timeout
# and transaction_timeout: psycopg has them among the errors that are our fault, and they pass.
_PASSING: Final = frozenset({"25006", "25P03", "25P04"})
_WRITTEN_BY_US: Final = frozenset({"content-type", "content-length"})


class FieldErrorSchema(Schema):
    """What is wrong with one part of the input."""

    pointer = fields.String(
        required=True, metadata={"description": "JSON pointer (RFC 6901) to the part", "example": "/caption"}
    )
    code = fields.String(required=True, metadata={"example": "too_long"})
    detail = fields.String(required=True)
    location = fields.String(metadata={"description": "Where the part is, when that is not the body"})


class ProblemSchema(Schema):
    """A problem document (RFC 9457); branch on `code`, show `detail`, quote `request_id`."""

    class Meta:
        """A problem may bring further members, such as RFC 6749's `error`."""

        unknown = INCLUDE

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True, metadata={"example": "Unprocessable Entity"})
    status = fields.Integer(required=True, metadata={"example": 422})
    code = fields.String(required=True, metadata={"example": "validation_failed"})
    detail = fields.String()
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldErrorSchema))


def problem_response(
    status: int,
    code: str,
    detail: str | None = None,
    *,
    members: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Write one problem document; `members` are added to the standard ones."""
    trace = current_trace()
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "request_id": trace.request_id if trace else "",
    }
    if detail:
        body["detail"] = detail
    body.update(members or {})
    response = Response(orjson.dumps(body, default=str), status, content_type=PROBLEM_TYPE)
    # A cache may keep a 404, 405 or 410 that says nothing of it (RFC 9110 section 15.1), and OAuth's refusals
    # must not be stored (RFC 6749 section 5.2). The gateway says the same of its own.
    response.headers.update({"Cache-Control": "no-store", **(headers or {})})
    return response


def register_problem_handlers(app: Flask) -> None:
    """Answer every exception that leaves a view, and Flask's own refusals, with a problem document."""
    app.register_error_handler(errors.IglooError, _refused)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(exc.OperationalError, _database_unavailable)
    app.register_error_handler(exc.TimeoutError, _database_unavailable)
    app.register_error_handler(exc.InternalError, _database_confused)


def status_of(error: errors.IglooError) -> int:
    """Return the HTTP status of a domain exception, from its category."""
    return next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 500)


def code_of(status: int) -> str:
    """Return the code of what HTTP itself refuses."""
    return _HTTP_CODES.get(status) or re.sub(r"\W+", "_", HTTPStatus(status).phrase).lower()


def _refused(error: errors.IglooError) -> Response:
    members: dict[str, object] = dict(error.extra)
    if error.errors:
        members["errors"] = [_field_error(entry) for entry in error.errors]
    headers = {**_category_headers(error), **error.headers}
    return problem_response(status_of(error), error.code, error.detail, members=members, headers=headers)


def _field_error(entry: errors.FieldError) -> dict[str, str]:
    shown = {"pointer": entry.pointer, "code": entry.code, "detail": entry.detail}
    return shown if entry.location == "body" else {**shown, "location": entry.location}


def _category_headers(error: errors.IglooError) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": _challenge(error)}
    if isinstance(error, errors.RateLimited | errors.BadGateway | errors.Unavailable):
        return {"Retry-After": str(error.retry_after_seconds)}
    return {}


def _challenge(error: errors.Unauthenticated) -> str:
    if error.bearer_error is None:
        return 'Bearer realm="igloo"'
    # RFC 6750 section 3: a description is printable ASCII without quotes and backslashes.
    description = re.sub(r'[^\x20-\x7e]|["\\]', "", error.detail)
    return f'Bearer realm="igloo", error="{error.bearer_error}", error_description="{description}"'


def _http_problem(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response  # type: ignore[return-value]  # whoever raised it has chosen the answer
    status = error.code or 500
    headers = {k: v for k, v in error.get_headers() if k.lower() not in _WRITTEN_BY_US}
    # For an unexpected exception this is HTTP's general sentence; its own text goes to the log alone.
    return problem_response(status, code_of(status), error.description, headers=headers)


def _database_unavailable(error: Any) -> Response:  # noqa: ANN401 -- two unrelated classes of SQLAlchemy
    _LOG.error("The database did not answer in time", exc_info=error)
    return problem_response(503, "unavailable", "Try again in a moment.", headers={"Retry-After": "2"})


def _database_confused(error: exc.InternalError) -> Response:
    if getattr(error.orig, "sqlstate", None) in _PASSING:
        return _database_unavailable(error)
    raise error

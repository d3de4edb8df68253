"""Replies as bytes: orjson straight into a response, with no serializer in between."""

from collections.abc import Mapping

import orjson
from flask import Response

_OPTIONS = orjson.OPT_UTC_Z


def json_response(
    payload: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Send plain data (dicts, lists, dataclasses, UUIDs, aware datetimes) as JSON."""
    response = Response(orjson.dumps(payload, option=_OPTIONS), status, content_type="application/json")
    if headers:
        response.headers.update(headers)
    return response

"""Reads what a refused request still brings, so that its sender gets to see the refusal."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Response, request

_CHUNK_BYTES: Final = 64 * 1024


def read_what_is_left(response: Response) -> Response:
    """Read the body of a refused request to its end, as far as the request's limit goes; for `after_request`.

    gunicorn closes a connection on which more than 64 KB lie unread, and the kernel then resets it: nginx,
    which is still writing the body, would answer 502 in place of our 401, 413 or 422 (RFC 9112 section 9.6).
    """
    if response.status_code >= HTTPStatus.BAD_REQUEST and (request.content_length or 0) > _CHUNK_BYTES:
        _drain(request.max_content_length or 0)
    return response


def _drain(limit_bytes: int) -> None:
    # Not `request.stream`: a body that is longer than announced to be allowed is refused by looking at it.
    body = request.environ["wsgi.input"]
    read = 0
    try:
        while read < limit_bytes and (chunk := body.read(_CHUNK_BYTES)):
            read += len(chunk)
    except (OSError, ValueError):
        # Its sender is gone, or sends nonsense: there is nobody who could see the answer.
        return

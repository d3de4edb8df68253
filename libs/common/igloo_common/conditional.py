"""Conditional requests (RFC 9110 section 13) on things that have a version."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from flask import Response

IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
"""For `blp.doc(parameters=[…])` of the views that heed them."""

# As `tagged` writes it, of no more digits than a version has.
_VERSION = re.compile(r"([0-9]{1,10})-")


def tagged(response: Response, *, version: int) -> Response:
    """Give a response a strong ETag, or turn it into 304 when the client has just this.

    The tag joins the version with a digest of the bytes: it changes with every byte, also of the counts, and
    still tells `expected_versions` which version the client had.
    """
    tag = f"{version}-{blake2b(response.get_data(), digest_size=9).hexdigest()}"
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    if "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.set_data(b"")
        del response.headers["Content-Type"]
        del response.headers["Content-Length"]
    return response


def expected_versions() -> frozenset[int] | None:
    """Read from If-Match the versions that the client would change; None when any will do.

    What is compared is the version and not the whole tag: a new follower stands in the way of no edit. What
    cannot be read matches nothing: who sends it means to change one version, and not whatever is there.
    """
    if not request.headers.get("If-Match", "").strip() or request.if_match.star_tag:
        return None
    read = map(_VERSION.match, filter(None, request.if_match.as_set()))
    return frozenset(int(found[1]) for found in read if found)

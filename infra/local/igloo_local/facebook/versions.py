"""The versions of Graph: taken off the path, and named in the answer."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What answers a call that names no version; the real one takes the oldest that is left.
DEFAULT_VERSION = "v25.0"
_VERSION = re.compile(r"^/(v\d+\.\d+)(?=/)")
_KEY = "igloo_local.graph_version"


class AnyVersion:
    """Serves `/v25.0/me` as `/me`: what igloo calls has not changed between the versions of Graph."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on with the version taken off its path."""
        named = _VERSION.match(environ["PATH_INFO"])
        environ[_KEY] = named[1] if named else DEFAULT_VERSION
        environ["PATH_INFO"] = without_version(environ["PATH_INFO"])
        return self._app(environ, start_response)


def without_version(path: str) -> str:
    """Return a path as the views know it."""
    return _VERSION.sub("", path)


def name_version(response: Response) -> Response:
    """Say which version answers, as Graph does."""
    response.headers["facebook-api-version"] = request.environ[_KEY]
    return response

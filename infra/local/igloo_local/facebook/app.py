"""The stand-in's application: wiring only."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from igloo_local.facebook import controls, graph, oauth
from igloo_local.facebook.authorization import Authorization
from igloo_local.facebook.directory import EXTENSION, Directory
from igloo_local.facebook.errors import GraphError, ObjectUnknown, graph_error_response
from igloo_local.facebook.people import People
from igloo_local.facebook.settings import Settings
from igloo_local.facebook.signing import IdTokens

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_VERSION = re.compile(r"^/v\d+\.\d+(?=/)")


def create_app(settings: Settings | None = None) -> Flask:
    """Make the stand-in over its folder."""
    settings = settings or Settings.load()
    settings.folder.mkdir(parents=True, exist_ok=True)
    people = People(settings.folder / "people.sqlite3")
    app = Flask(__name__)
    app.extensions[EXTENSION] = Directory(
        settings, people, Authorization(settings.apps, people), IdTokens(settings.folder / "id_token_key.pem")
    )
    for module in (controls, oauth, graph):
        app.register_blueprint(module.blueprint)
    app.add_url_rule("/healthz", view_func=lambda: Response(status=204), endpoint="healthz")
    app.register_error_handler(GraphError, graph_error_response)
    app.register_error_handler(HTTPException, lambda _: graph_error_response(ObjectUnknown("path")))
    app.wsgi_app = AnyVersion(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add a layer
    return app


class AnyVersion:
    """Serves `/v25.0/me` as `/me`: what igloo calls has not changed between the versions of Graph."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on with the version taken off its path."""
        environ["PATH_INFO"] = _VERSION.sub("", environ["PATH_INFO"])
        return self._app(environ, start_response)

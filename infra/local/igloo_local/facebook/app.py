"""The stand-in's application: wiring only."""

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from igloo_local.facebook import controls, friends, graph, oauth
from igloo_local.facebook.authorization import Authorization
from igloo_local.facebook.directory import EXTENSION, Directory
from igloo_local.facebook.errors import GraphError, ObjectUnknown, graph_error_response
from igloo_local.facebook.faults import Faults
from igloo_local.facebook.id_token_keys import IdTokenKeys
from igloo_local.facebook.id_tokens import IdTokens
from igloo_local.facebook.people import People
from igloo_local.facebook.settings import Settings
from igloo_local.facebook.versions import AnyVersion, name_version


def create_app(settings: Settings | None = None) -> Flask:
    """Make the stand-in over its folder."""
    settings = settings or Settings.load()
    settings.folder.mkdir(parents=True, exist_ok=True)
    people = People(settings.folder / "people.sqlite3")
    app = Flask(__name__)
    faults = Faults()
    app.extensions[EXTENSION] = Directory(
        settings=settings,
        people=people,
        authorization=Authorization(settings.apps, people),
        id_tokens=IdTokens(IdTokenKeys(settings.folder / "id_token_keys.json")),
        faults=faults,
    )
    app.before_request(lambda: faults.answer(request.path))
    app.after_request(name_version)
    for module in (controls, oauth, friends, graph):
        app.register_blueprint(module.blueprint)
    app.add_url_rule("/healthz", view_func=lambda: Response(status=204), endpoint="healthz")
    app.register_error_handler(GraphError, graph_error_response)
    app.register_error_handler(HTTPException, lambda _: graph_error_response(ObjectUnknown("path")))
    app.wsgi_app = AnyVersion(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to add a layer
    return app

"""The OpenAPI document of a service, built by flask-smorest from its blueprints."""

from collections.abc import Sequence
from http import HTTPStatus

import flask_smorest
from flask import Flask
from flask_smorest.utils import prepare_response

from igloo_common.blueprint import Blueprint
from igloo_common.problems import PROBLEM_TYPE, ProblemSchema

_BEARER_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "An access token; it is good for a few minutes.",
}

_NOT_NOW = (
    "Not now, but soon: wait as long as Retry-After says. `overloaded`: there is more to do than can be done,"
    " and nothing of this was. `unavailable`: something that it needs does not answer; what creates is sent"
    " again with the same Idempotency-Key. Other codes are told by the operation"
)
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait", "required": True, "schema": {"type": "integer"}}
}


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's registry of documents, with problem documents for every error."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            if status is HTTPStatus.SERVICE_UNAVAILABLE:
                self._problem(status.name, _NOT_NOW, headers=_RETRY_AFTER)
            elif status >= HTTPStatus.BAD_REQUEST:
                self._problem(status.name, status.phrase)
        self._problem("DEFAULT_ERROR", "Any refusal, as a problem document")

    def _register_pagination_header(self) -> None:
        """Document no page numbers: igloo's pages have cursors."""

    def _register_error_handlers(self) -> None:
        """Leave the answers to igloo_common.problems."""

    def _problem(self, name: str, description: str, **more: object) -> None:
        response = {"description": description, "schema": ProblemSchema, **more}
        prepare_response(response, self.spec, PROBLEM_TYPE)
        self.spec.components.response(name, response, lazy=True)


def document_api(app: Flask, blueprints: Sequence[Blueprint], *, title: str) -> None:
    """Register the blueprints, and serve their document at /openapi.json."""
    app.config.update(
        API_TITLE=title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.0.3",  # the newest that the bundled Swagger UI shows
        OPENAPI_URL_PREFIX="/",
    )
    api = Api(app)
    api.spec.components.security_scheme("bearer", _BEARER_SCHEME)
    for blueprint in blueprints:
        if not isinstance(blueprint, Blueprint):
            raise TypeError(f"{blueprint.name}: make it with igloo_common.web.Blueprint")
        api.register_blueprint(blueprint)

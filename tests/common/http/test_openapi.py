from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Response
from marshmallow import Schema

from factories.sample_service import sample_app
from igloo_common import access
from igloo_common.web import Blueprint, json_response


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = sample_app().test_client().get("/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    methods = {"get", "post", "put", "patch", "delete"}
    return [op for path in document["paths"].values() for name, op in path.items() if name in methods]


def test_the_document_names_itself(document: dict[str, Any]) -> None:
    assert document["info"] == {"title": "Sample", "version": "v1"}
    assert document["openapi"] == "3.0.3"
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_operation_has_a_name_that_a_client_would_use(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document)]

    assert "keepNote" in names
    assert "listNotes" in names
    assert len(names) == len(set(names))


def test_every_operation_documents_its_problems(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}
    default = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert list(default) == ["application/problem+json"]
    assert default["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_operation_may_be_told_to_come_later(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert operation["responses"]["503"] == {"$ref": "#/components/responses/SERVICE_UNAVAILABLE"}
    later = document["components"]["responses"]["SERVICE_UNAVAILABLE"]
    assert "`overloaded`" in later["description"]
    assert later["headers"]["Retry-After"]["required"]
    assert list(later["content"]) == ["application/problem+json"]


@pytest.mark.parametrize(
    ("path", "method", "rule", "security"),
    [
        ("/v1/notes", "post", "user", [{"bearer": []}]),
        ("/v1/notes", "get", "optional", [{}, {"bearer": []}]),
        ("/v1/token", "post", "public", []),
        ("/v1/moderation", "get", "scope:moderator", [{"bearer": []}]),
    ],
)
def test_who_may_call_is_written_down(
    document: dict[str, Any], path: str, method: str, rule: str, security: list[Any]
) -> None:
    operation = document["paths"][path][method]

    assert operation["x-igloo-access"] == {"caller": rule}
    assert operation["security"] == security


def test_input_is_documented_where_it_is_read(document: dict[str, Any]) -> None:
    form_or_json = document["paths"]["/v1/token"]["post"]["requestBody"]["content"]
    query = document["paths"]["/v1/notes"]["get"]["parameters"]

    assert set(form_or_json) == {"application/json", "application/x-www-form-urlencoded"}
    assert {parameter["name"]: parameter["in"] for parameter in query} == {
        "limit": "query",
        "cursor": "query",
    }


def test_a_docstring_is_the_documentation(document: dict[str, Any]) -> None:
    assert document["paths"]["/v1/notes"]["post"]["summary"] == "Keep a note."


def test_a_view_of_two_methods_is_refused_as_it_would_have_one_name() -> None:
    blueprint = Blueprint("two", __name__)

    with pytest.raises(TypeError, match="one method"):

        @blueprint.route("/v1/two", methods=["PUT", "DELETE"])
        @access.public
        @blueprint.response(200, Schema)
        def two() -> Response:
            return json_response({})


def test_what_a_reference_would_drop_is_refused() -> None:
    blueprint = Blueprint("lossy", __name__)

    with pytest.raises(TypeError, match="docstring"):
        blueprint.alt_response(409, "CONFLICT", description="dropped by flask-smorest")


def test_an_operation_without_a_rule_is_found() -> None:
    app: Flask = sample_app()
    access.assert_every_operation_has_access(app)
    spec = app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec
    spec._paths["/v1/silent"] = {"get": {"responses": {}}}

    with pytest.raises(AssertionError, match="GET /v1/silent"):
        access.assert_every_operation_has_access(app)

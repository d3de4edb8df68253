from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from factories.sample_service import NOWHERE, sample_app, sample_settings
from factories.tokens import bearer
from igloo_common.errors import Forbidden, Gone, IglooError, NotFound, TooLarge
from igloo_common.ids import new_id
from igloo_common.problems import ProblemSchema, status_of

PROBLEM = "application/problem+json"


def test_a_domain_exception_becomes_the_problem_of_its_category(client: FlaskClient) -> None:
    reply = client.post("/v1/notes", json={"text": "refused"}, headers=bearer(new_id()))

    assert reply.status_code == 409
    assert reply.content_type == PROBLEM
    assert reply.json is not None
    assert reply.json["code"] == "note_taken"
    assert reply.json["title"] == "Conflict"
    assert reply.json["detail"] == "There is such a note."
    assert reply.json["note"] == "the first"
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1/notes/", "/v1/trouble/field", "/v1/trouble/anything"])
def test_no_cache_keeps_a_problem(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


def test_field_errors_of_a_domain_exception_are_shown(client: FlaskClient) -> None:
    problem = client.get("/v1/trouble/field").json

    assert problem is not None
    assert problem["errors"] == [{"pointer": "/text", "code": "taken", "detail": "It is taken."}]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/notes/", 404, "not_found"),
        ("GET", "/v1//notes", 404, "not_found"),
        ("DELETE", "/v1/notes", 405, "method_not_allowed"),
        ("POST", "/v1/notes/not-a-uuid/copies", 404, "not_found"),
        ("GET", "/v1/notes/tags/a%00b", 404, "not_found"),
        ("GET", "/v1/notes/tags/%ff%fe", 200, None),
    ],
)
def test_a_path_that_leads_nowhere_is_a_problem(
    client: FlaskClient, method: str, path: str, status: int, code: str | None
) -> None:
    reply = client.open(path, method=method)

    assert reply.status_code == status
    assert reply.json is not None
    assert reply.json.get("code") == code
    assert status == 200 or reply.content_type == PROBLEM


def test_the_methods_that_are_allowed_are_named(client: FlaskClient) -> None:
    assert "POST" in client.delete("/v1/notes").headers["Allow"]


def test_an_unexpected_exception_tells_its_text_to_the_log_alone(
    client: FlaskClient, capfd: pytest.CaptureFixture[str]
) -> None:
    reply = client.get("/v1/trouble/anything")

    assert reply.status_code == 500
    assert reply.content_type == PROBLEM
    assert reply.json is not None
    assert reply.json["code"] == "internal_error"
    assert "secret" not in reply.text
    assert "the secret of /v1/trouble/anything" in capfd.readouterr().err


@pytest.mark.parametrize(("kind", "status", "seconds"), [("slow_down", 429, "7"), ("unavailable", 503, "5")])
def test_later_says_when(client: FlaskClient, kind: str, status: int, seconds: str) -> None:
    reply = client.get(f"/v1/trouble/{kind}")

    assert (reply.status_code, reply.headers["Retry-After"]) == (status, seconds)


def test_a_database_that_is_down_is_503_and_no_fault_of_the_caller() -> None:
    client = sample_app(sample_settings(IGLOO_MEDIA_DATABASE_URL=NOWHERE)).test_client()

    reply = client.get("/v1/trouble/database")

    assert reply.status_code == 503
    assert reply.json is not None
    assert reply.json["code"] == "unavailable"
    assert "Retry-After" in reply.headers


@pytest.mark.parametrize("kind", ["read_only", "too_idle", "too_slow", "ended"])
def test_a_database_that_ends_what_takes_too_long_or_takes_no_writes_is_503(
    client: FlaskClient, kind: str
) -> None:
    reply = client.get(f"/v1/trouble/{kind}")

    assert (reply.status_code, (reply.json or {})["code"]) == (503, "unavailable")
    assert reply.headers["Retry-After"] == "2"
    assert client.get("/v1/notes/tags/snow").status_code == 200


def test_an_error_of_the_database_that_is_ours_stays_ours(client: FlaskClient) -> None:
    assert client.get("/v1/trouble/after_an_error").status_code == 500
    assert client.get("/v1/notes/tags/snow").status_code == 200


def test_every_problem_conforms_to_the_documented_schema(client: FlaskClient) -> None:
    replies = [
        client.get("/nowhere"),
        client.get("/v1/me"),
        client.post("/v1/notes/echo", json={"text": 3}),
        client.get("/v1/trouble/anything"),
    ]

    assert [ProblemSchema().validate(reply.json or {}) for reply in replies] == [{}] * 4


def test_a_code_is_the_class_name_in_snake_case_unless_given() -> None:
    class HTTPSOnlyPlease(Forbidden):
        """For this test."""

    class Renamed(Gone):
        """For this test."""

        code = "something_else"

    assert (HTTPSOnlyPlease.code, Renamed.code) == ("https_only_please", "something_else")


@pytest.mark.parametrize(("kind", "status"), [(NotFound, 404), (TooLarge, 413), (IglooError, 500)])
def test_a_status_follows_from_the_category(kind: type[IglooError], status: int) -> None:
    assert status_of(type("Special", (kind,), {})()) == status

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

JSON = "application/json"


def post(client: FlaskClient, body: bytes, content_type: str = JSON) -> TestResponse:
    return client.post("/v1/notes/echo", data=body, content_type=content_type)


def errors_of(reply: TestResponse) -> list[tuple[str, str]]:
    assert reply.status_code == 422, reply.text
    assert reply.json is not None
    assert reply.json["code"] == "validation_failed"
    return [(entry["pointer"], entry["code"]) for entry in reply.json["errors"]]


def test_a_good_body_reaches_the_view_as_its_command(client: FlaskClient) -> None:
    reply = client.post("/v1/notes/echo", json={"text": "hi", "labels": [{"name": "a"}]})

    assert reply.json == {"text": "hi", "stars": 0, "labels": ["a"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"text": NaN}',
        b'{"text": "\x00"}',
        b"\xef\xbb\xbf{}",
        b'{"text": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    ],
)
def test_what_is_not_json_is_malformed(client: FlaskClient, body: bytes) -> None:
    reply = post(client, body)

    assert reply.status_code == 400
    assert reply.json is not None
    assert reply.json["code"] == "malformed_json"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_another_content_type_is_415(client: FlaskClient, content_type: str) -> None:
    reply = post(client, b'{"text": "hi"}', content_type)

    assert reply.status_code == 415
    assert reply.json is not None
    assert reply.json["code"] == "unsupported_media_type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_by_another_name_is_taken(client: FlaskClient, content_type: str) -> None:
    assert post(client, b'{"text": "hi"}', content_type).status_code == 200


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"3", b"null", b"true"])
def test_only_objects_are_taken(client: FlaskClient, body: bytes) -> None:
    assert errors_of(post(client, body)) == [("", "invalid_type")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("/text", "required")]),
        ({"text": None}, [("/text", "null_not_allowed")]),
        ({"text": 3}, [("/text", "invalid_type")]),
        ({"text": ""}, [("/text", "invalid_length")]),
        ({"text": "LOUD"}, [("/text", "shouting")]),
        ({"text": "a", "stars": 6}, [("/stars", "out_of_range")]),
        ({"text": "a", "stars": 10**30}, [("/stars", "out_of_range")]),
        ({"text": "a", "stars": "many"}, [("/stars", "invalid_type")]),
        ({"text": "a", "labels": [{"name": "b"}, {"name": "toolong"}]}, [("/labels/1/name", "too_long")]),
        ({"text": "a", "labels": ["b"]}, [("/labels/0", "invalid_type")]),
        ({"text": "a", "a/b~c": 1}, [("/a~1b~0c", "unknown_field")]),
        ({"text": "a\0b"}, [("/text", "null_character")]),
        ({"text": "a", "labels": [{"name": "\0"}]}, [("/labels/0/name", "null_character")]),
        ({"text": "a", "\0": 1}, [("", "null_character")]),
    ],
)
def test_each_wrong_value_is_pointed_at(
    client: FlaskClient, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert errors_of(client.post("/v1/notes/echo", json=body)) == expected


def test_a_backslash_before_u0000_is_only_text(client: FlaskClient) -> None:
    assert post(client, b'{"text": "\\\\u0000"}').json == {"text": "\\u0000", "stars": 0, "labels": []}


def test_deep_but_valid_json_is_refused_without_recursion(client: FlaskClient) -> None:
    assert errors_of(post(client, b'{"a":' * 500 + b"1" + b"}" * 500)) == [("", "too_deep")]


def test_wide_json_is_not_deep(client: FlaskClient) -> None:
    labels = [{"name": "a"}] * 200

    assert client.post("/v1/notes/echo", json={"text": "a", "labels": labels}).status_code == 200


def test_a_thousand_errors_are_cut_short(client: FlaskClient) -> None:
    found = errors_of(client.post("/v1/notes/echo", json={f"x{n}": 1 for n in range(1000)}))

    assert len(found) == 50


def test_a_megabyte_is_the_limit(client: FlaskClient) -> None:
    reply = post(client, b'{"text": "' + b"a" * 1024 * 1024 + b'"}')

    assert reply.status_code == 413
    assert reply.json is not None
    assert reply.json["code"] == "too_large"


def test_a_view_may_have_a_limit_of_its_own(client: FlaskClient) -> None:
    small, large = ({"grant_type": "x" * size} for size in (10, 100))

    assert client.post("/v1/large", json=small).status_code == 200
    assert client.post("/v1/large", json=large).status_code == 413


def test_a_query_is_checked_and_unknown_parameters_are_ignored(client: FlaskClient) -> None:
    reply = client.get("/v1/notes?limit=101")

    assert client.get("/v1/notes?limit=100&utm_source=x").status_code == 200
    assert errors_of(reply) == [("/limit", "out_of_range")]
    assert reply.json is not None
    assert reply.json["errors"][0]["location"] == "query"


@pytest.mark.parametrize("query", ["limit=x", "limit=", "limit=" + "9" * 5000, "limit=1.5", "limit=-1"])
def test_a_limit_that_is_no_sensible_number_is_422(client: FlaskClient, query: str) -> None:
    assert [pointer for pointer, _ in errors_of(client.get(f"/v1/notes?{query}"))] == ["/limit"]


def test_a_null_character_in_a_query_is_422(client: FlaskClient) -> None:
    assert errors_of(client.get("/v1/notes?cursor=a%00")) == [("/cursor", "null_character")]


def test_a_form_and_json_are_alike_where_a_view_takes_both(client: FlaskClient) -> None:
    form = client.post("/v1/token", data={"grant_type": "x"})
    json = client.post("/v1/token", json={"grant_type": "x"})
    neither = client.post("/v1/token", data=b"x", content_type="text/plain")

    assert (form.json, json.json, neither.status_code) == ({"grant_type": "x"}, {"grant_type": "x"}, 415)


def test_a_form_is_checked_like_a_body(client: FlaskClient) -> None:
    assert errors_of(client.post("/v1/token", data={"other": "x"})) == [
        ("/grant_type", "required"),
        ("/other", "unknown_field"),
    ]
    assert errors_of(client.post("/v1/token", data={"grant_type": "\0"})) == [
        ("/grant_type", "null_character")
    ]

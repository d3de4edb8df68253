"""What no route of the service may answer with an error of its own, nor change anything for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from factories.social_people import make_person
from factories.tokens import bearer
from igloo_common.ids import new_id

JSON = "application/json"
DEEP = b'{"a":' * 40 + b"1" + b"}" * 40
# By name: a body, its type, and what may be answered. Nothing that stands in them is acceptable anywhere.
BODIES: Mapping[str, tuple[bytes, str, set[int]]] = {
    "ten megabytes": (b'{"caption": "' + b"x" * 10_000_000 + b'"}', JSON, {413}),
    "ten megabytes of no JSON": (b"x" * 10_000_000, JSON, {413}),
    "no JSON": (b"{", JSON, {400}),
    "a surrogate": (b'{"caption": "\\ud800", "bio": "\\udfff"}', JSON, {400}),
    "bytes that are no text": (b'{"caption": "\xff\xfe"}', JSON, {400}),
    "endless brackets": (b"[" * 100_000, JSON, {400}),
    "not a number": (b'{"caption": NaN}', JSON, {400}),
    "a list": (b"[]", JSON, {422}),
    "a text": (b'"caption"', JSON, {422}),
    "null": (b"null", JSON, {422}),
    "deep nesting": (DEEP, JSON, {422}),
    "NUL": (b'{"caption": "a\\u0000b"}', JSON, {422}),
    "NUL in a name": (b'{"cap\\u0000tion": 1}', JSON, {422}),
    "an unknown field": (b'{"no_such_field": 1}', JSON, {422}),
    "a field of objects": (b'{"__class__": {"$ne": 1}}', JSON, {422}),
    "a form": (b"caption=Snow", "application/x-www-form-urlencoded", {415}),
    "plain text": (b'{"caption": "Snow"}', "text/plain", {415}),
}
WRONG: Sequence[object] = (
    -1,
    1.5,
    10**30,
    True,
    [],
    {},
    [[]],
    {"a": 1},
    "\x00",
    "\u202e",
    "x" * 100_000,
    [None],
    [{}] * 1000,
    "\u3164",
)


def operations(app: Flask) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """List method, path and documentation of everything that is routed to the outside."""
    document = app.test_client().get("/openapi.json").get_json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "put", "post", "patch", "delete") and not path.startswith("/internal"):
                yield method.upper(), path, operation


def filled(path: str, known: UUID) -> str:
    """Write ids of nobody and nothing, and words, into a path."""
    parts = path.split("/")
    return "/".join(str(known) if part.startswith("{") else part for part in parts)


def everything(session: Session) -> dict[str, object]:
    """Read how much there is of everything, and the profiles whole."""
    session.rollback()
    tables = session.scalars(
        text(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'social' AND tablename <> 'idempotency_keys'"
        )
    ).all()
    counts = {table: session.scalar(text(f'SELECT count(*) FROM "{table}"')) for table in tables}  # noqa: S608
    return {**counts, "people": session.execute(text("SELECT * FROM profiles ORDER BY user_id")).all()}


def assert_refused(reply: TestResponse, statuses: set[int], what: object) -> None:
    problem = reply.get_json()
    assert reply.status_code in statuses, (what, reply.status_code, problem)
    assert reply.content_type == "application/problem+json", what
    assert problem["code"], what
    if problem["code"] == "validation_failed":
        assert problem["errors"], what
        assert all(entry["code"] and entry["detail"] and "pointer" in entry for entry in problem["errors"]), (
            what
        )


@pytest.fixture
def caller(session: Session) -> UUID:
    person = make_person(session, bio="Ice", username_changed_at=None)
    session.commit()
    return person


def headers_of(caller: UUID) -> dict[str, str]:
    return {**bearer(caller, scopes="moderator"), "Idempotency-Key": str(new_id())}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_taken_is_refused_by_every_route(
    app: Flask, client: FlaskClient, session: Session, caller: UUID, name: str
) -> None:
    body, content_type, statuses = BODIES[name]
    before = everything(session)
    tried = 0

    for method, path, operation in operations(app):
        if "requestBody" not in operation:
            continue
        tried += 1
        reply = client.open(
            filled(path, caller),
            method=method,
            data=body,
            content_type=content_type,
            headers=headers_of(caller),
        )
        assert_refused(reply, statuses, (method, path))

    assert tried >= 3
    assert everything(session) == before


def test_a_wrong_value_of_any_field_is_named(
    app: Flask, client: FlaskClient, session: Session, caller: UUID
) -> None:
    document = app.test_client().get("/openapi.json").get_json()
    schemas = document["components"]["schemas"]
    before, tried = everything(session), set()

    for method, path, operation in operations(app):
        body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
        for field in schemas.get(body.get("$ref", "").rpartition("/")[2], {}).get("properties", {}):
            tried.add((method, path, field))
            for value in WRONG:
                # With a field that nobody has: what one field takes, the request is still refused for.
                reply = client.open(
                    filled(path, caller),
                    method=method,
                    json={field: value, "no_such_field": 1},
                    headers=headers_of(caller),
                )
                assert_refused(reply, {422}, (method, path, field, value))

    assert {("PATCH", "/v1/users/me", "bio"), ("POST", "/v1/posts", "caption")} <= tried
    assert everything(session) == before


QUERIES = (
    "limit=-1",
    "limit=0",
    "limit=999999999999999999999999",
    "limit=" + "9" * 5000,
    "limit=1&limit=x",
    "limit=%00",
    "limit=%ED%A0%80",
    "cursor=%00",
    "cursor=" + "A" * 5000,
    "cursor=%F0%9F%90%A7",
    "cursor=a&cursor=b",
    "q=%00",
    "q=%FF",
    "username=%00",
    "username=%E2%84%AAim",
    "since=%00",
    "since=x",
    "user_id=x",
    "user_id=%00&user_id=%00",
    "&".join(["user_id=00000000-0000-7000-8000-000000000001"] * 300),
    "no_such_parameter=1",
    "%00=1",
)


def test_no_query_makes_a_route_fail(app: Flask, client: FlaskClient, session: Session, caller: UUID) -> None:
    before = everything(session)

    for method, path, _ in operations(app):
        if method != "GET":
            continue
        for query in QUERIES:
            reply = client.get(f"{filled(path, caller)}?{query}", headers=headers_of(caller))
            assert reply.status_code < 500, (path, query[:60], reply.text)
            if reply.status_code >= 400:
                assert_refused(reply, {400, 401, 403, 404, 409, 410, 422}, (path, query[:60]))

    assert everything(session) == before


@pytest.mark.parametrize(
    "part",
    ["x", "%00", "0", "%ED%A0%80", "..", "%2e%2e", "1" * 3000, "{00000000-0000-7000-8000-000000000001}"],
)
def test_what_is_no_id_is_found_nowhere(app: Flask, client: FlaskClient, caller: UUID, part: str) -> None:
    tried = set()
    for rule in app.url_map.iter_rules():
        if "<uuid:" not in rule.rule:
            continue
        asked = "/".join(part if step.startswith("<") else step for step in rule.rule.split("/"))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            tried.add((method, rule.rule))
            reply = client.open(asked, method=method, headers=headers_of(caller))
            assert_refused(reply, {400, 404, 405}, (method, asked[:80]))

    assert ("GET", "/v1/users/<uuid:user_id>") in tried

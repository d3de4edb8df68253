from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from factories.tokens import bearer, token_for
from igloo_common.ids import new_id
from igloo_common.logs import JsonLines, configure_logs
from igloo_common.tracing import continued_trace

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Lines:
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    level = root.level
    configure_logs(service="sample", level="INFO")
    yield logging.getLogger("sample.room")
    root.setLevel(level)
    for handler in [h for h in root.handlers if isinstance(h, JsonLines)]:
        root.removeHandler(handler)


def test_a_record_is_one_json_line_with_its_fields(log: logging.Logger, lines: Lines) -> None:
    note = new_id()
    with continued_trace(None, request_id="r-1") as trace:
        log.warning("Kept\na note", extra={"note_id": note, "stars": 3})

    (line,) = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "service": "sample",
        "logger": "sample.room",
        "message": "Kept\na note",
        "request_id": "r-1",
        "trace_id": trace.trace_id,
        "note_id": str(note),
        "stars": 3,
    }


def test_an_exception_comes_with_its_traceback(log: logging.Logger, lines: Lines) -> None:
    try:
        raise LookupError("no such note")
    except LookupError:
        log.exception("Failed")

    assert "LookupError: no such note" in lines()[0]["exception"]


def test_tokens_and_secrets_are_hidden(log: logging.Logger, lines: Lines) -> None:
    token = token_for(new_id())
    log.warning("Got %s", token, extra={"access_token": "opaque", "url": f"/x?t={token}", "apikey": 3})
    try:
        raise ValueError(token)
    except ValueError:
        log.exception("Failed")

    text = json.dumps(lines())
    assert token.split(".")[2] not in text
    assert "opaque" not in text


def test_what_is_below_the_level_is_not_written(log: logging.Logger, lines: Lines) -> None:
    log.debug("Too fine")

    assert lines() == []


def test_configuring_again_does_not_write_twice(log: logging.Logger, lines: Lines) -> None:
    configure_logs(service="sample", level="INFO")
    log.info("Once")

    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ValueError, "<class 'ValueError'>"),
        ({1: "a"}, {"1": "a"}),
        ("\ud800", r"'\ud800'"),
        ({(): 1}, "{(): 1}"),
    ],
)
def test_a_field_that_json_does_not_know_is_written_as_text(
    log: logging.Logger, lines: Lines, value: object, shown: object
) -> None:
    log.info("Odd", extra={"kind": value})

    assert lines()[0]["kind"] == shown


def test_every_request_leaves_one_line(client: FlaskClient, lines: Lines) -> None:
    user = new_id()
    lines()
    headers = {**bearer(user), "X-Request-Id": "r-7", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    reply = client.get("/v1/me?signature=hidden", headers=headers)

    (line,) = lines()
    assert reply.headers["X-Request-Id"] == "r-7"
    assert (line["request_id"], line["trace_id"]) == ("r-7", "a" * 32)
    assert (line["method"], line["path"], line["route"]) == ("GET", "/v1/me", "/v1/me")
    assert (line["status"], line["bytes"], line["user_id"]) == (200, len(reply.data), str(user))
    assert line["milliseconds"] > 0
    assert "hidden" not in json.dumps(line)


def test_a_refused_request_leaves_its_line_too(client: FlaskClient, lines: Lines) -> None:
    lines()
    client.get("/v1/" + "x" * 5000)

    (line,) = lines()
    assert (line["status"], line["route"], len(line["path"])) == (404, None, 256)


def test_probes_that_succeed_leave_none(client: FlaskClient, lines: Lines) -> None:
    lines()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.get(path).status_code == 200

    assert lines() == []


def test_one_request_knows_nothing_of_the_one_before(client: FlaskClient) -> None:
    first = client.get("/v1/me", headers={"X-Request-Id": "first"})
    second = client.get("/v1/me")

    assert first.headers["X-Request-Id"] == "first"
    assert second.headers["X-Request-Id"] != "first"

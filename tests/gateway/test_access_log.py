"""The access log is one JSON object a request and holds nothing that opens a door."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

import pytest

from gateway.nginx_process import NginxProcess
from gateway.wire import Wire
from igloo_local.waiting import wait_until

Line = Mapping[str, object]


@pytest.fixture
def logged(gateway: NginxProcess) -> Callable[[str], Line]:
    """Give a function that waits for the line of a request id."""

    def find(request_id: str) -> Line:
        def lines() -> list[Line]:
            return [line for line in gateway.access_log() if line["request_id"] == request_id]

        wait_until(lambda: bool(lines()), seconds=5, what=f"the log line of {request_id}")
        return lines()[0]

    return find


def test_a_request_is_told_in_one_line(wire: Wire, logged: Callable[[str], Line]) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    reply = wire.get("/v1/users/me", traceparent=traceparent, User_Agent='phone "7"')

    line = logged(reply.headers["x-request-id"])

    assert line["service"] == "gateway"
    assert line["method"] == "GET"
    assert line["path"] == "/v1/users/me"
    assert line["status"] == 200
    assert line["client"] == "127.0.0.1"
    assert line["traceparent"] == traceparent
    assert line["user_agent"] == 'phone "7"'
    assert line["upstream_status"] == "200"
    assert isinstance(line["seconds"], float)


@pytest.mark.parametrize(
    "target", ["/media/{id}/feed?signature=opens", "/v1/auth/facebook/callback?code=opens"]
)
def test_no_query_is_logged(wire: Wire, logged: Callable[[str], Line], target: str) -> None:
    reply = wire.get(target.format(id=uuid.uuid4()))
    assert "opens" not in str(logged(reply.headers["x-request-id"]))


@pytest.mark.parametrize("path", ["/v1/auth/facebook/authorize", "/v1/auth/facebook/callback"])
def test_no_query_of_a_sign_in_is_in_the_error_log(
    troubled_gateway: NginxProcess, troubled_wire: Wire, path: str
) -> None:
    troubled_wire.get("/v1/auth/sessions?this=is-there")
    assert troubled_wire.get(f"{path}?code=opens&state=opens").status == 502

    errors = (troubled_gateway.folder / "error.log").read_text()
    assert "is-there" in errors
    assert "opens" not in errors


def test_no_token_is_logged(wire: Wire, logged: Callable[[str], Line]) -> None:
    reply = wire.get("/v1/feed", Authorization="Bearer opens", Cookie="opens")
    assert "opens" not in str(logged(reply.headers["x-request-id"]))


def test_a_refused_request_is_logged_with_its_own_status_and_path(
    wire: Wire, logged: Callable[[str], Line]
) -> None:
    line = logged(wire.get("/nowhere?x=1").headers["x-request-id"])
    assert (line["status"], line["path"]) == (404, "/nowhere")


def test_a_request_line_that_cannot_be_read_is_logged_as_valid_json(
    wire: Wire, logged: Callable[[str], Line]
) -> None:
    assert logged(wire.send(b"\x00\xff\x13\r\n\r\n").headers["x-request-id"])["status"] == 400


def test_health_checks_are_not_logged(
    wire: Wire, gateway: NginxProcess, logged: Callable[[str], Line]
) -> None:
    wire.get("/healthz", X_Request_Id="health-check-1")
    logged(wire.get("/v1/feed").headers["x-request-id"])
    assert "health-check-1" not in {line["request_id"] for line in gateway.access_log()}

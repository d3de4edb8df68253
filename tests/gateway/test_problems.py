"""What nginx itself refuses is told as a problem document."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Mapping

import pytest

from gateway.nginx_process import NginxProcess
from gateway.upstreams import Answer, Upstream
from gateway.wire import Reply, Wire

REQUEST_ID = re.compile(r"[0-9a-f]{32}")


def assert_problem(reply: Reply, status: int, code: str) -> None:
    problem = reply.json()
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == reply.headers["x-request-id"]
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_an_unlisted_path_is_not_found(wire: Wire) -> None:
    assert_problem(wire.get("/v2/feed"), 404, "not_found")


def test_a_head_request_gets_the_problem_headers_without_a_body(wire: Wire) -> None:
    reply = wire.request("HEAD", "/nowhere")

    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.body == b""


def test_a_request_line_that_cannot_be_read_is_a_bad_request(wire: Wire) -> None:
    assert_problem(wire.send(b"HELLO\r\n\r\n"), 400, "malformed")


def test_a_request_without_host_is_a_bad_request(wire: Wire) -> None:
    assert_problem(wire.send(b"GET /v1/feed HTTP/1.1\r\n\r\n"), 400, "malformed")


def test_a_broken_header_is_a_bad_request(wire: Wire) -> None:
    reply = wire.send(b"GET /v1/feed HTTP/1.1\r\nHost: igloo.test\r\nContent-Length: many\r\n\r\n")
    assert_problem(reply, 400, "malformed")


def test_an_unknown_http_version_is_told_so(wire: Wire) -> None:
    reply = wire.send(b"GET /v1/feed HTTP/3.7\r\nHost: igloo.test\r\n\r\n")
    assert_problem(reply, 505, "http_version_not_supported")


def test_an_unknown_transfer_encoding_is_not_implemented(wire: Wire) -> None:
    reply = wire.request("POST", "/v1/posts", headers={"Transfer-Encoding": "snow"})
    assert_problem(reply, 501, "not_implemented")


def test_a_method_that_the_gateway_never_takes_is_not_allowed(wire: Wire) -> None:
    assert_problem(wire.request("TRACE", "/v1/feed"), 405, "method_not_allowed")


@pytest.mark.parametrize("target", ["/", "/healthz", "/v1/limits", "/v1/openapi.json", "/docs"])
def test_writing_to_the_gateways_own_addresses_is_not_allowed(wire: Wire, target: str) -> None:
    reply = wire.request("POST", target, body=b"{}")

    assert_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD"


def test_a_request_line_over_8_kb_is_too_long(wire: Wire) -> None:
    assert_problem(wire.get("/v1/feed?cursor=" + "x" * 9000), 414, "uri_too_long")


def test_a_header_over_8_kb_is_too_large(wire: Wire) -> None:
    assert_problem(wire.get("/v1/feed", Cookie="x" * 9000), 431, "request_header_fields_too_large")


def test_many_headers_that_are_too_large_together_are_refused(wire: Wire) -> None:
    headers = {f"X-Filler-{number}": "x" * 6000 for number in range(8)}
    reply = wire.request("GET", "/v1/feed", headers=headers)
    assert_problem(reply, 431, "request_header_fields_too_large")


def test_a_body_over_the_routes_limit_is_refused_before_it_is_sent(
    wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    request = b"POST /v1/posts HTTP/1.1\r\nHost: igloo.test\r\nContent-Length: 70000\r\n\r\n"

    reply = wire.send(request)

    assert_problem(reply, 413, "too_large")
    assert upstreams["social"].received == []


def test_a_chunked_body_over_the_routes_limit_is_refused(
    wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    request = b"POST /v1/posts HTTP/1.1\r\nHost: igloo.test\r\nTransfer-Encoding: chunked\r\n\r\n"

    reply = wire.send(request + chunk * 3 + b"0\r\n\r\n", method="POST")

    assert_problem(reply, 413, "too_large")
    assert upstreams["social"].received == []


def test_a_service_that_hangs_up_is_unreachable(wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    upstreams["social"].answer(Answer(hang_up=True))
    assert_problem(wire.get("/v1/feed"), 502, "bad_gateway")


def test_a_service_that_is_not_there_is_unreachable(troubled_wire: Wire) -> None:
    assert_problem(troubled_wire.get("/v1/auth/sessions"), 502, "bad_gateway")


def test_a_service_that_does_not_answer_in_time_is_a_timeout(
    troubled_wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    released = threading.Event()
    upstreams["social"].answer(Answer(hold=released))

    reply = troubled_wire.request("POST", "/v1/posts", body=b"{}")

    released.set()
    assert_problem(reply, 504, "gateway_timeout")


def test_a_services_own_problem_passes_unchanged(wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    problem = b'{"type":"about:blank","status":404,"code":"post_not_found"}'
    upstreams["social"].answer(
        Answer(status=404, body=problem, headers={"Content-Type": "application/problem+json"})
    )

    reply = wire.get("/v1/posts/0190")

    assert reply.status == 404
    assert reply.body == problem
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_services_own_503_keeps_its_retry_after(wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    upstreams["social"].answer(Answer(status=503, body=b"{}", headers={"Retry-After": "7"}))
    assert wire.get("/v1/feed").headers["retry-after"] == "7"


def test_a_client_that_never_ends_its_headers_is_let_go(troubled_gateway: NginxProcess) -> None:
    with socket.create_connection(("127.0.0.1", troubled_gateway.port), timeout=15) as connection:
        connection.sendall(b"GET /v1/feed HTTP/1.1\r\nHost: igloo.test\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)

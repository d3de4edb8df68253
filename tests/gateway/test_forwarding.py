"""What a service is told about a request, and what becomes of its answer on the way out."""

from __future__ import annotations

import gzip
import http.client
import json
from collections.abc import Mapping

import pytest

from gateway.nginx_process import NginxProcess
from gateway.upstreams import Answer, Upstream
from gateway.wire import Wire

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def social(upstreams: Mapping[str, Upstream]) -> Upstream:
    return upstreams["social"]


def test_a_request_gets_an_id_that_client_and_service_both_see(wire: Wire, social: Upstream) -> None:
    first, second = wire.get("/v1/feed"), wire.get("/v1/feed")

    assert first.headers["x-request-id"] == social.received[0].headers["x-request-id"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_a_clients_own_request_id_is_kept(wire: Wire, social: Upstream) -> None:
    reply = wire.get("/v1/feed", X_Request_Id="phone-7f3a.2026_11")

    assert reply.headers["x-request-id"] == "phone-7f3a.2026_11"
    assert social.last.headers["x-request-id"] == "phone-7f3a.2026_11"


@pytest.mark.parametrize(
    "forged", ["short", '"},{"status":200', "x" * 200, "two words and more", "-leading-dash"]
)
def test_an_ill_formed_request_id_is_replaced(wire: Wire, social: Upstream, forged: str) -> None:
    reply = wire.get("/v1/feed", X_Request_Id=forged)

    assert reply.headers["x-request-id"] != forged
    assert social.last.headers["x-request-id"] == reply.headers["x-request-id"]


def test_the_request_id_of_the_service_is_not_sent_a_second_time(wire: Wire, social: Upstream) -> None:
    social.answer(Answer(headers={"X-Request-Id": "from-the-service"}))
    assert "from-the-service" not in wire.get("/v1/feed").headers["x-request-id"]


def test_a_trace_context_is_passed_on(wire: Wire, social: Upstream) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    wire.get("/v1/feed", traceparent=traceparent)
    assert social.last.headers["traceparent"] == traceparent


@pytest.mark.parametrize("broken", ["00-" + "0" * 32 + "-b7ad6b7169203331-01", "yes", "ff-1-1-1"])
def test_a_broken_trace_context_is_left_out(wire: Wire, social: Upstream, broken: str) -> None:
    wire.get("/v1/feed", traceparent=broken)
    assert "traceparent" not in social.last.headers


def test_the_service_learns_who_asked_and_how(wire: Wire, social: Upstream) -> None:
    wire.get("/v1/feed", Authorization="Bearer abc", Idempotency_Key="k")

    headers = social.last.headers
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "igloo.test"
    assert headers["host"] == "igloo.test"
    assert headers["authorization"] == "Bearer abc"
    assert headers["idempotency-key"] == "k"


def test_headers_that_only_the_gateway_may_set_cannot_be_forged(wire: Wire, social: Upstream) -> None:
    wire.get(
        "/v1/feed",
        X_Forwarded_For="203.0.113.9",
        X_Forwarded_Proto="https",
        X_Forwarded_Host="evil.test",
        X_Forwarded_Prefix="/evil",
        Forwarded="for=203.0.113.9",
        X_Original_URI="/media/x",
        Proxy="http://evil.test",
    )

    headers = social.last.headers
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == "igloo.test"
    assert {"x-forwarded-prefix", "forwarded", "x-original-uri", "proxy"}.isdisjoint(headers)


def test_connections_to_a_service_are_kept_open(troubled_wire: Wire, social: Upstream) -> None:
    for _ in range(20):
        troubled_wire.get("/v1/feed")
    assert len({received.connection for received in social.received}) == 1


def test_a_client_may_keep_its_connection_open(gateway: NginxProcess, social: Upstream) -> None:
    client = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    for _ in range(3):
        client.request("GET", "/v1/feed")
        assert client.getresponse().read()
    local_port = client.sock.getsockname()[1]
    client.request("GET", "/v1/feed")
    client.getresponse().read()

    assert client.sock.getsockname()[1] == local_port
    client.close()
    assert len(social.received) == 4


@pytest.mark.parametrize(
    ("method", "attempts"), [("GET", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)]
)
def test_only_what_is_safe_to_repeat_is_repeated(
    troubled_wire: Wire, social: Upstream, method: str, attempts: int
) -> None:
    troubled_wire.get("/v1/feed")  # leaves an open connection, which the service then closes
    social.reset()
    social.answer(Answer(hang_up=True))

    reply = troubled_wire.request(method, "/v1/posts/1", body=b"{}")

    assert reply.status == 502
    assert len(social.received) == attempts


def test_json_is_compressed_for_those_who_ask(wire: Wire, social: Upstream) -> None:
    body = json.dumps({"data": ["snow"] * 500}).encode()
    social.answer(Answer(body=body, headers=JSON))

    reply = wire.get("/v1/feed", Accept_Encoding="gzip")

    assert reply.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in reply.headers["vary"].lower()
    assert gzip.decompress(reply.body) == body
    assert "content-encoding" not in wire.get("/v1/feed").headers


def test_tokens_are_not_compressed(wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    upstreams["auth"].answer(Answer(body=b'{"access_token":"' + b"x" * 2000 + b'"}', headers=JSON))

    reply = wire.request("POST", "/v1/auth/token", headers={"Accept-Encoding": "gzip"}, body=b"{}")

    assert "content-encoding" not in reply.headers


def test_a_tag_that_compression_weakened_is_strong_again_for_the_service(
    wire: Wire, social: Upstream
) -> None:
    social.answer(Answer(body=b'{"caption":"' + b"x" * 2000 + b'"}', headers={**JSON, "ETag": '"v1"'}))

    tag = wire.get("/v1/posts/1", Accept_Encoding="gzip").headers["etag"]
    wire.request("PATCH", "/v1/posts/1", headers={"If-Match": tag}, body=b"{}")

    assert tag == 'W/"v1"'
    assert social.last.headers["if-match"] == '"v1"'


def test_an_answer_without_a_caching_rule_is_private(wire: Wire, social: Upstream) -> None:
    assert wire.get("/v1/feed").headers["cache-control"] == "private, no-cache"

    social.answer(Answer(headers={"Cache-Control": "no-store"}))
    assert wire.get("/v1/feed").headers["cache-control"] == "no-store"


def test_answers_carry_the_security_headers_once(wire: Wire, social: Upstream) -> None:
    social.answer(
        Answer(status=404, headers={"X-Content-Type-Options": "nosniff", "Referrer-Policy": "origin"})
    )

    headers = wire.get("/v1/feed").headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["server"] == "nginx"


def test_a_body_up_to_the_limit_reaches_the_service_whole(wire: Wire, social: Upstream) -> None:
    body = b"x" * 1_000_000
    assert wire.request("POST", "/v1/feed", body=body).status == 200
    assert social.last.body == body


@pytest.mark.parametrize("path", ["/v1/auth/facebook/authorize", "/v1/auth/facebook/callback"])
def test_the_way_back_may_be_as_long_as_the_longest_state_makes_it(
    wire: Wire, upstreams: Mapping[str, Upstream], path: str
) -> None:
    back = f"com.example.igloo:/signed-in?state={'%2F' * 8000}"
    upstreams["auth"].answer(Answer(status=302, headers={"Location": back}))

    reply = wire.get(f"{path}?state={'/' * 8000}")

    assert (reply.status, reply.headers["location"]) == (302, back)


def test_an_id_token_with_thousands_of_friends_gets_through_and_into_no_file(
    gateway: NginxProcess, wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    token = b"facebook_id_token=" + b"a" * 128 * 1024

    reply = wire.request("POST", "/v1/auth/token", body=token)

    assert reply.status == 200
    assert upstreams["auth"].last.body == token
    errors = (gateway.folder / "error.log").read_text().splitlines()
    assert not [line for line in errors if "temporary file" in line and "POST /v1/auth/token" in line]

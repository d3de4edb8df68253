"""Every listed path reaches its service, and no other path reaches any."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.routes import Route, read_routes
from gateway.upstreams import Upstream
from gateway.wire import Wire

PRIVATE = ["/internal/renditions/authorize", "/internal/", "/readyz", "/metrics", "/openapi.json", "/swagger"]
SPELLINGS = [
    "/v1/posts/../..{path}",
    "/v1/posts/%2e%2e/%2e%2e{path}",
    "/v1/posts/..%2f..{path}",
    "/v1/posts/..%2F..{path}",
    "/v1/posts/..;/..{path}",
    "/v1/posts/..\\..{path}",
    "/v1/posts/%2e%2e%5c%2e%2e{path}",
    "/v1/posts/%252e%252e/%252e%252e{path}",
    "{path}/../v1/feed",
    "{path}%2f..%2fv1%2ffeed",
    "{path}/%2e%2e/%2e%2e/%2e%2e/v1/feed",
    "{path}/.%2e/.%2e/.%2e/v1/feed",
    "/.{path}",
    "//{path}",
    "//v1/feed/..{path}",
    "http://igloo.test{path}",
    "http://igloo.test/v1/feed/../..{path}",
    "/v1/feed#/../..{path}",
    "/v1/feed%00{path}",
    "/v1/feed{path}",
]


@pytest.mark.parametrize("route", read_routes(), ids=lambda route: route.pattern)
def test_a_listed_path_reaches_its_service(
    wire: Wire, upstreams: Mapping[str, Upstream], route: Route
) -> None:
    target = f"{route.example_path}?limit=3"

    reply = wire.get(target)

    assert reply.status == 200
    assert upstreams[route.service].last.target == target
    assert sum(len(upstream.received) for upstream in upstreams.values()) == 1


@pytest.mark.parametrize("path", PRIVATE)
def test_a_private_path_is_not_routed(wire: Wire, upstreams: Mapping[str, Upstream], path: str) -> None:
    replies = {target: wire.get(target).status for target in [path, *spelt(path)]}

    assert {target: status for target, status in replies.items() if status not in {400, 404}} == {}
    assert [received for upstream in upstreams.values() for received in upstream.received] == []


@pytest.mark.parametrize(
    "target",
    [
        "/v1",
        "/v1/",
        "/v1/feed/",
        "/v1/feedx",
        "/V1/feed",
        "/v1//feed",
        "/v1/./feed",
        "/v1/posts/a%2Fb",
        "/v1/posts/1/like/2",
        "/v1/posts/1/",
        "/_problem",
        "/_authorize",
        "/_rendition_problem",
        "/routes.conf",
        "/index.html",
        "/app/",
        "/app/../openapi.json",
        "/docs/index.html",
        "/.env",
    ],
)
def test_a_path_that_only_looks_like_a_listed_one_is_not_found(
    wire: Wire, upstreams: Mapping[str, Upstream], target: str
) -> None:
    assert wire.get(target).json()["code"] == "not_found"
    assert [received for upstream in upstreams.values() for received in upstream.received] == []


def test_a_query_may_hold_what_a_path_may_not(wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    target = "/v1/users?q=%2F..%2F&next=//a/../b"

    assert wire.get(target).status == 200
    assert upstreams["social"].last.target == target


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_method_and_body_reach_the_service(
    wire: Wire, upstreams: Mapping[str, Upstream], method: str
) -> None:
    wire.request(method, "/v1/posts/1", body=b'{"caption":"snow"}')

    assert upstreams["social"].last.method == method
    assert upstreams["social"].last.body == b'{"caption":"snow"}'


def test_no_path_is_listed_twice() -> None:
    patterns = [route.pattern for route in read_routes()]
    assert len(patterns) == len(set(patterns))


def spelt(path: str) -> list[str]:
    return [spelling.format(path=path) for spelling in SPELLINGS]

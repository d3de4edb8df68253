"""What a service has no place for is turned away and told when to come back; what is inside is served."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from gateway.conftest import placeholders
from gateway.nginx_process import NginxProcess
from gateway.upstreams import Answer, Received, Upstream
from gateway.wire import Reply, Wire
from igloo_local.parts.connection_shares import connection_shares
from igloo_local.ports import free_port
from igloo_local.waiting import wait_until

PLACES = 2
SECONDS = 10


@pytest.fixture(scope="module")
def full_gateways(
    nginx_binary: Path,
    running_upstreams: Mapping[str, Upstream],
    demo_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Wire]]:
    """Give a maker of gateways that have at most `PLACES` requests at a service at once."""
    running: dict[tuple[tuple[str, str], ...], tuple[NginxProcess, subprocess.Popen[bytes]]] = {}

    def wire_to(**values: str) -> Wire:
        key = tuple(sorted(values.items()))
        if key not in running:
            places = {f"{name}_MAX_CONNS": str(PLACES) for name in ("AUTH", "SOCIAL", "MEDIA")}
            threads = {"IGLOO_WEB_WORKERS": "1", "IGLOO_THREADS": "1", "GATEWAY_WORKERS": "1"}
            given = placeholders(running_upstreams, demo_folder=demo_folder)
            nginx = NginxProcess.prepare(
                binary=nginx_binary,
                folder=tmp_path_factory.mktemp("full-nginx"),
                values={**given, **places, **threads, **values},
            )
            running[key] = nginx, nginx.start()
        return Wire(port=running[key][0].port)

    yield wire_to
    for nginx, process in running.values():
        nginx.stop(process)


@pytest.fixture
def full_wire(full_gateways: Callable[..., Wire], upstreams: Mapping[str, Upstream]) -> Wire:
    """Give the way to one of one worker, with fresh upstreams."""
    assert upstreams
    return full_gateways()


def assert_overloaded(reply: Reply) -> None:
    problem = reply.json()
    assert (reply.status, problem["status"], problem["code"]) == (503, 503, "overloaded")
    assert problem["title"] == "Service Unavailable"
    assert reply.headers["retry-after"] in {"1", "2", "3"}
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    assert problem["request_id"] == reply.headers["x-request-id"]


@contextmanager
def held(
    upstream: Upstream, ask: Callable[[], Reply], *, count: int = PLACES
) -> Iterator[list[Future[Reply]]]:
    """Keep so many requests inside an upstream for the block; they are answered after it."""
    before, release = len(upstream.received), threading.Event()
    upstream.behave = lambda received: Answer(body=received.target.encode(), hold=release)
    with ThreadPoolExecutor(count) as pool:
        inside = [pool.submit(ask) for _ in range(count)]
        try:
            wait_until(
                lambda: len(upstream.received) >= before + count,
                seconds=SECONDS,
                what="the requests being inside",
            )
            yield inside
        finally:
            release.set()


def test_one_more_than_there_is_place_for_is_turned_away(
    full_wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    with held(upstreams["social"], lambda: full_wire.get("/v1/feed?limit=3")) as inside:
        turned_away = [full_wire.get("/v1/explore"), full_wire.request("POST", "/v1/posts", body=b"{}")]

    for reply in turned_away:
        assert_overloaded(reply)
    assert [(each.result().status, each.result().body) for each in inside] == [
        (200, b"/v1/feed?limit=3")
    ] * PLACES
    assert len(upstreams["social"].received) == PLACES


def test_a_place_that_becomes_free_is_given_to_the_next(
    full_wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    for _ in range(3):
        with held(upstreams["social"], lambda: full_wire.get("/v1/feed")):
            assert_overloaded(full_wire.get("/v1/feed"))
        upstreams["social"].reset()
        assert [full_wire.get("/v1/feed").status for _ in range(PLACES + 1)] == [200] * (PLACES + 1)


def test_a_client_that_gives_up_leaves_its_place(full_wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    social, release = upstreams["social"], threading.Event()
    social.behave = lambda _received: Answer(hold=release)
    for number in range(PLACES):
        with socket.create_connection(("127.0.0.1", full_wire.port), timeout=SECONDS) as client:
            client.sendall(b"GET /v1/feed HTTP/1.1\r\nHost: igloo.test\r\n\r\n")
            wait_until(partial(_has_received, social, number + 1), seconds=SECONDS, what="being inside")
    social.reset()

    wait_until(lambda: full_wire.get("/v1/feed").status == 200, seconds=SECONDS, what="a place being free")
    release.set()


def test_one_full_service_takes_no_place_at_another(
    full_wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    with held(upstreams["social"], lambda: full_wire.get("/v1/feed")):
        others = [
            full_wire.get(path) for path in ("/v1/auth/sessions", "/v1/media/x", "/healthz", "/v1/limits")
        ]

    assert [reply.status for reply in others] == [200] * 4


def test_those_turned_away_are_not_told_to_come_back_together(
    full_wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    with held(upstreams["social"], lambda: full_wire.get("/v1/feed")):
        patience = {full_wire.get("/v1/feed").headers["retry-after"] for _ in range(40)}

    assert patience == {"1", "2", "3"}


def test_a_dead_service_is_no_busy_one(
    full_gateways: Callable[..., Wire], upstreams: Mapping[str, Upstream]
) -> None:
    nobody, nobody_else = (f"127.0.0.1:{free_port()}" for _ in range(2))
    wire = full_gateways(SOCIAL_UPSTREAM=f"{nobody} {nobody_else}", AUTH_UPSTREAM=nobody)

    for path in ("/v1/feed", "/v1/auth/sessions"):
        reply = wire.get(path)
        assert (reply.status, reply.json()["code"]) == (502, "bad_gateway")
        assert "retry-after" not in reply.headers
    assert upstreams["social"].received == []


def test_a_place_that_is_dead_is_passed_over_until_the_others_are_full(
    full_gateways: Callable[..., Wire], upstreams: Mapping[str, Upstream]
) -> None:
    social = upstreams["social"]
    wire = full_gateways(SOCIAL_UPSTREAM=f"127.0.0.1:{free_port()} {social.address}")
    assert [wire.get("/v1/feed").status for _ in range(6)] == [200] * 6

    with held(social, lambda: wire.get("/v1/feed")):
        # The dead one is tried first or not, by turns.
        for _ in range(4):
            assert_overloaded(wire.get("/v1/feed"))


def test_a_second_place_is_found_when_the_first_is_full(
    full_gateways: Callable[..., Wire], upstreams: Mapping[str, Upstream]
) -> None:
    one, other = upstreams["social"], upstreams["auth"]
    wire = full_gateways(SOCIAL_UPSTREAM=f"{one.address} {other.address}")
    release = threading.Event()
    one.behave = other.behave = lambda _received: Answer(body=b"served", hold=release)
    with ThreadPoolExecutor(2 * PLACES) as pool:
        inside = [pool.submit(wire.get, "/v1/feed") for _ in range(2 * PLACES)]
        wait_until(
            lambda: len(one.received) == len(other.received) == PLACES,
            seconds=SECONDS,
            what="both being full",
        )
        refused = wire.get("/v1/feed")
        release.set()

    assert_overloaded(refused)
    assert [each.result().body for each in inside] == [b"served"] * 2 * PLACES


def test_a_services_own_refusals_are_its_own(full_wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    for status in (502, 503):
        upstreams["social"].answer(Answer(status=status, body=b'{"code": "its_own"}'))
        reply = full_wire.get("/v1/feed")
        assert (reply.status, reply.json()) == (status, {"code": "its_own"})


def test_the_workers_of_nginx_share_the_places(
    full_gateways: Callable[..., Wire], upstreams: Mapping[str, Upstream]
) -> None:
    social, places = upstreams["social"], 4
    wire = full_gateways(GATEWAY_WORKERS="2", SOCIAL_MAX_CONNS=str(places))
    release = threading.Event()
    social.behave = lambda _received: Answer(body=b"served", hold=release)
    with ThreadPoolExecutor(8 * places) as pool:
        asked = [pool.submit(wire.get, "/v1/feed") for _ in range(8 * places)]
        # With so many, either worker has more than its share, however the kernel deals them out.
        wait_until(
            lambda: sum(each.done() for each in asked) == 7 * places, seconds=SECONDS, what="the rest refused"
        )
        release.set()

    replies = [each.result() for each in asked]
    assert len(social.received) == places
    assert sum(reply.body == b"served" for reply in replies) == places
    for reply in replies:
        if reply.body != b"served":
            assert_overloaded(reply)


def test_a_killed_worker_of_nginx_takes_no_place_with_it(
    nginx_binary: Path, upstreams: Mapping[str, Upstream], demo_folder: Path, tmp_path: Path
) -> None:
    values = {"SOCIAL_MAX_CONNS": str(PLACES), "GATEWAY_WORKERS": "1"}
    nginx = NginxProcess.prepare(
        binary=nginx_binary,
        folder=tmp_path / "nginx",
        values={**placeholders(upstreams, demo_folder=demo_folder), **values},
    )
    wire, process = Wire(port=nginx.port), nginx.start()
    try:
        with held(upstreams["social"], lambda: _lost(wire)) as inside:
            [worker] = [
                child
                for child in psutil.Process(process.pid).children()
                if "worker process" in " ".join(child.cmdline())
            ]
            os.kill(worker.pid, signal.SIGKILL)
            assert [each.result().status for each in inside] == [0] * PLACES
        upstreams["social"].reset()
        assert [wire.get("/v1/feed").status for _ in range(2 * PLACES)] == [200] * 2 * PLACES
    finally:
        nginx.stop(process)


def _lost(wire: Wire) -> Reply:
    try:
        return wire.get("/v1/feed")
    except OSError:
        return Reply(status=0, headers={}, body=b"")


def _has_received(upstream: Upstream, count: int) -> bool:
    return len(upstream.received) == count


def photo() -> str:
    """Give an address that no other test asked for, since answers are kept."""
    return f"/media/{uuid.uuid4()}/feed?expires=1900000000&signature=a0b1"


def test_photos_have_places_of_their_own(full_wire: Wire, upstreams: Mapping[str, Upstream]) -> None:
    media, release = upstreams["media"], threading.Event()
    upstreams["s3"].answer(Answer(body=b"WEBP"))

    def decide(received: Received) -> Answer:
        if received.target.startswith("/internal/"):
            return Answer(status=204, headers={"X-Igloo-Object": "/bucket/photo?signed"})
        return Answer(body=b"{}", hold=release)

    media.behave = decide
    with ThreadPoolExecutor(PLACES) as pool:
        uploads = [pool.submit(full_wire.request, "POST", "/v1/media", body=b"form") for _ in range(PLACES)]
        wait_until(lambda: len(media.received) == PLACES, seconds=SECONDS, what="media being full")
        refused, shown = full_wire.get("/v1/media/x"), full_wire.get(photo())
        release.set()

    assert_overloaded(refused)
    assert (shown.status, shown.body) == (200, b"WEBP")
    assert [each.result().status for each in uploads] == [200] * PLACES


def test_photos_that_cannot_be_decided_on_are_turned_away_and_not_forbidden(
    full_wire: Wire, upstreams: Mapping[str, Upstream]
) -> None:
    media, release = upstreams["media"], threading.Event()
    upstreams["s3"].answer(Answer(body=b"WEBP"))
    allowed = {"X-Igloo-Object": "/bucket/photo?signed"}
    kept = photo()
    media.answer(Answer(status=204, headers=allowed))
    assert full_wire.get(kept).status == 200
    media.behave = lambda _received: Answer(status=204, headers=allowed, hold=release)
    places = connection_shares({"IGLOO_WEB_WORKERS": "1", "IGLOO_THREADS": "1", "GATEWAY_WORKERS": "1"})[
        "DECISION"
    ]
    with ThreadPoolExecutor(places) as pool:
        inside = [pool.submit(full_wire.get, photo()) for _ in range(places)]
        wait_until(lambda: len(media.received) == places + 1, seconds=SECONDS, what="media being full")
        refused, known, api = full_wire.get(photo()), full_wire.get(kept), full_wire.get("/healthz")
        release.set()

    assert_overloaded(refused)
    assert (known.status, api.status) == (200, 200)
    assert [each.result().status for each in inside] == [200] * places
    assert full_wire.get(photo()).status == 200

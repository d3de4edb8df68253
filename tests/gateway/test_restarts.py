"""A gateway is reloaded, and web processes leave it or die, and no request fails that could be saved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from gateway.conftest import placeholders
from gateway.upstreams import Answer, Received, Upstream
from gateway.wire import Wire
from igloo_local.parts.nginx import Nginx
from igloo_local.parts.nginx_workers import workers_of
from igloo_local.ports import free_port
from igloo_local.waiting import wait_until


@pytest.fixture(scope="module")
def replicas() -> Iterator[list[Upstream]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Upstream(name)) for name in ("first", "second", "extra")]


@pytest.fixture(scope="module")
def nginx(replicas: list[Upstream], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    first, second, _ = replicas
    folder = tmp_path_factory.mktemp("restarts")
    values = {
        **placeholders(dict.fromkeys(("auth", "social", "media", "s3"), first), demo_folder=folder),
        "SOCIAL_UPSTREAM": f"{first.address} {second.address}",
    }
    with Nginx(folder / "gateway", free_port(), values=values) as running:
        yield running


@pytest.fixture(autouse=True)
def as_at_first(nginx: Nginx, replicas: list[Upstream]) -> Iterator[None]:
    yield
    nginx.route("social")
    for replica in replicas:
        replica.reset()


class Caller(threading.Thread):
    """Posts over one connection without a pause; a connection is replaced only when the gateway says so."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.statuses: list[int] = []
        self.failure: Exception | None = None
        self._port = port
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Post until told to stop, or until something fails."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            while not self._stop_asked.is_set():
                connection.request("POST", "/v1/posts", body=b"{}", headers={"Host": "igloo.test"})
                reply = connection.getresponse()
                reply.read()
                self.statuses.append(reply.status)
                self._stop_asked.wait(0.002)
        except Exception as error:  # noqa: BLE001 - it is what the test asks for
            self.failure = error
        finally:
            connection.close()

    def stop(self) -> None:
        """End after the request in hand."""
        self._stop_asked.set()
        self.join()


def served(replica: Upstream) -> int:
    return len(replica.received)


def test_reloads_fail_nobody(nginx: Nginx) -> None:
    callers = [Caller(nginx.port) for _ in range(3)]
    for caller in callers:
        caller.start()
    for _ in range(5):
        nginx.reload()
    for caller in callers:
        caller.stop()

    assert [caller.failure for caller in callers] == [None] * 3
    assert {status for caller in callers for status in caller.statuses} == {200}


def test_a_place_that_is_down_gets_nothing_and_an_extra_one_gets_its_share(
    nginx: Nginx, replicas: list[Upstream]
) -> None:
    first, second, extra = replicas
    nginx.route("social", extra=[extra.address], down=[first.address])

    statuses = [Wire(port=nginx.port).get("/v1/feed").status for _ in range(8)]

    assert statuses == [200] * 8
    assert served(first) == 0
    assert min(served(second), served(extra)) > 0


def test_one_service_is_drained_without_another(nginx: Nginx, replicas: list[Upstream]) -> None:
    first, second, _ = replicas
    nginx.route("social", down=[second.address])
    nginx.route("media", extra=[second.address])

    for _ in range(4):
        Wire(port=nginx.port).get("/v1/feed")

    assert (served(first), served(second)) == (4, 0)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST", "PATCH"])
def test_a_place_where_nobody_listens_is_passed_over_whatever_is_sent(
    nginx: Nginx, replicas: list[Upstream], method: str
) -> None:
    first, second, _ = replicas
    nginx.route("social", extra=[f"127.0.0.1:{free_port()}"], down=[first.address])

    wire = Wire(port=nginx.port)
    statuses = [wire.request(method, "/v1/posts/1", body=b"{}").status for _ in range(6)]

    assert statuses == [200] * 6
    assert served(second) == 6


@pytest.mark.parametrize(("method", "statuses"), [("GET", {200}), ("DELETE", {200}), ("POST", {200, 502})])
def test_a_place_that_dies_over_a_request_gets_no_second_try_of_a_post(
    nginx: Nginx, replicas: list[Upstream], method: str, statuses: set[int]
) -> None:
    """Whether it was carried out is not known; who sent an Idempotency-Key may ask again, and does."""
    first, second, _ = replicas
    first.answer(Answer(hang_up=True))

    wire = Wire(port=nginx.port)
    headers = {"Idempotency-Key": "a-key-of-a-phone"}
    found = [wire.request(method, "/v1/posts/1", headers=headers, body=b"{}").status for _ in range(8)]

    assert set(found) == statuses
    assert served(first) > 0
    assert served(first) + served(second) == 8 + (0 if 502 in statuses else served(first))


def test_a_slow_request_outlives_a_reload(nginx: Nginx, replicas: list[Upstream]) -> None:
    first, second, _ = replicas
    arrived, go_on = threading.Event(), threading.Event()

    def slow(_: Received) -> Answer:
        arrived.set()
        return Answer(hold=go_on)

    first.behave = second.behave = slow
    statuses: list[int] = []
    asking = threading.Thread(target=lambda: statuses.append(Wire(port=nginx.port).get("/v1/feed").status))
    asking.start()
    assert arrived.wait(20)

    master = nginx.processes[0].pid
    old = workers_of(master)
    reloading = threading.Thread(target=nginx.reload)
    reloading.start()
    wait_until(lambda: workers_of(master).isdisjoint(old), seconds=20, what="the old workers' end")
    assert statuses == []
    go_on.set()
    reloading.join()
    asking.join()

    assert statuses == [200]

"""A web process that is told to stop fails nobody: who waits, who comes late, who was never told."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from pathlib import Path

import psutil
import requests

from factories.gunicorn_process import GunicornProcess
from factories.polling import wait_until

POST = b"POST /healthz HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n"


def workers_of(server: GunicornProcess) -> list[psutil.Process]:
    assert server.process is not None
    return psutil.Process(server.process.pid).children()


def connected(server: GunicornProcess) -> socket.socket:
    host, _, port = server.address.partition(":")
    return socket.create_connection((host, int(port)), 20)


def is_refused(server: GunicornProcess) -> bool:
    try:
        connected(server).close()
    except ConnectionRefusedError:
        return True
    return False


@contextmanager
def held_still(process: psutil.Process) -> Iterator[None]:
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def status_of(connection: socket.socket) -> int:
    with connection, HTTPResponse(connection) as reply:
        reply.begin()
        return reply.status


def test_who_waits_to_be_accepted_is_answered(tmp_path: Path, sample_database: str) -> None:
    server = GunicornProcess(tmp_path, database_url=sample_database, IGLOO_WEB_WORKERS="1")
    with server, ExitStack() as stack:
        assert server.process is not None
        with held_still(workers_of(server)[0]):
            waiting = [stack.enter_context(connected(server)) for _ in range(8)]
            for connection in waiting:
                connection.sendall(POST)
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "Handling signal: term" in server.log, "the order to stop arrives")

        # It has no such method; what counts is that each of them hears so.
        assert [status_of(connection) for connection in waiting] == [405] * 8
        assert server.process.wait(20) == 0


def test_who_comes_after_the_listener_is_closed_is_refused_and_not_left_waiting(
    tmp_path: Path, sample_database: str
) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server, ThreadPoolExecutor(1) as pool:
        assert server.process is not None
        slow = pool.submit(server.get, "/v1/waits/4000")
        wait_until(lambda: _is_connected(server), "the slow request is under way")
        server.process.send_signal(signal.SIGTERM)

        wait_until(lambda: is_refused(server), "connections are refused")
        assert not slow.done()
        assert slow.result(20).status_code == 200


def test_a_request_over_a_connection_kept_alive_is_answered_and_is_its_last(
    tmp_path: Path, sample_database: str
) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server, requests.Session() as session:
        assert server.process is not None
        assert (
            session.get(f"http://{server.address}/healthz", timeout=5).headers["Connection"] == "keep-alive"
        )
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: is_refused(server), "connections are refused")

        last = session.post(f"http://{server.address}/v1/nothing", timeout=5)

    assert (last.status_code, last.headers["Connection"]) == (404, "close")


def test_for_the_drain_seconds_it_serves_and_says_that_it_ends(tmp_path: Path, sample_database: str) -> None:
    settings = {"IGLOO_DRAIN_SECONDS": "60", "IGLOO_WEB_WORKERS": "1"}
    server = GunicornProcess(tmp_path, database_url=sample_database, **settings)
    with server, requests.Session() as session:
        assert server.process is not None
        session.get(f"http://{server.address}/healthz", timeout=5)
        workers = workers_of(server)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.get("/readyz").status_code == 503, "it is not ready any more")
        wait_until(lambda: server.get("/healthz").headers["Connection"] == "close", "it says that it ends")

        kept, new = session.get(f"http://{server.address}/healthz", timeout=5), server.get("/v1/waits/1")
        for worker in workers:
            worker.terminate()  # the second order
        ended = server.process.wait(20)

    assert (kept.status_code, new.status_code, ended) == (200, 200, 0)


def test_drain_seconds_that_make_no_sense_are_named(tmp_path: Path) -> None:
    url = "postgresql://u:p@127.0.0.1:9/x"
    server = GunicornProcess(tmp_path, database_url=url, IGLOO_DRAIN_SECONDS="91")

    assert server.launch().wait(20) == 78
    assert "configuration: IGLOO_DRAIN_SECONDS" in server.log


def _is_connected(server: GunicornProcess) -> bool:
    port = int(server.address.partition(":")[2])
    found = [connection for worker in workers_of(server) for connection in worker.net_connections()]
    return any(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == port for one in found)

from __future__ import annotations

import json
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path

import psycopg
import pytest
import requests

from factories.gunicorn_process import GunicornProcess
from factories.polling import wait_until


def processes_of(server: GunicornProcess) -> set[int]:
    """Ask so many at once that every worker has to take some."""
    with ThreadPoolExecutor(8) as pool:
        replies = pool.map(lambda _: server.get("/v1/waits/30"), range(16))
    return {reply.json()["process"] for reply in replies}


def counted(server: GunicornProcess) -> int:
    """Return how many waits have been counted, in all processes."""
    pattern = r'^igloo_http_requests_total\{method="GET",route="/v1/waits[^}]*\} ([0-9.]+)$'
    return int(sum(float(n) for n in re.findall(pattern, server.get("/metrics").text, re.MULTILINE)))


def somebody_sleeps(database_url: str) -> bool:
    """Tell whether a wait has arrived in the database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute(query).fetchone()
    return row is not None and row[0] > 0


def test_workers_share_one_port_and_one_count(tmp_path: Path, sample_database: str) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server:
        wait_until(lambda: len(processes_of(server)) == 2, "both workers answer")
        before = counted(server)
        processes_of(server)

        assert counted(server) == before + 16


def test_its_log_is_json_lines(tmp_path: Path, sample_database: str) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server:
        server.get("/v1/waits/0")

    lines = [json.loads(line) for line in server.log.splitlines()]
    assert any(line["logger"] == "igloo.access" and line["path"] == "/v1/waits/0" for line in lines)
    assert any(line["message"].startswith("Listening at") for line in lines)


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        ("Idempotency-Key: a\x7fb\r\n", 400, "malformed"),
        ("".join(f"X-{n}: a\r\n" for n in range(150)), 431, "request_header_fields_too_large"),
    ],
)
def test_what_gunicorn_itself_refuses_is_a_problem(
    tmp_path: Path, sample_database: str, lines: str, status: int, code: str
) -> None:
    with (
        GunicornProcess(tmp_path, database_url=sample_database) as server,
        socket.create_connection(("127.0.0.1", int(server.address.partition(":")[2])), 5) as connection,
    ):
        connection.sendall(f"GET /v1/waits/0 HTTP/1.1\r\nHost: a.test\r\n{lines}\r\n".encode())
        reply = HTTPResponse(connection)
        reply.begin()
        body = json.loads(reply.read())

    assert (reply.status, reply.getheader("Content-Type")) == (status, "application/problem+json")
    assert (body["status"], body["code"]) == (status, code)
    assert reply.getheader("Cache-Control") == "no-store"


def test_a_killed_worker_is_replaced_and_nobody_is_left_out(tmp_path: Path, sample_database: str) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server:
        victim = processes_of(server).pop()
        os.kill(victim, signal.SIGKILL)

        wait_until(lambda: "Worker started" in server.log.partition(str(victim))[2], "a new worker starts")
        wait_until(lambda: len(processes_of(server) - {victim}) == 2, "two workers answer again")


def test_sigterm_lets_a_request_finish(tmp_path: Path, sample_database: str) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server, ThreadPoolExecutor(1) as pool:
        assert server.process is not None
        waiting = pool.submit(server.get, "/v1/waits/1500")
        wait_until(lambda: somebody_sleeps(sample_database), "the request reaches the database")
        server.process.send_signal(signal.SIGTERM)

        assert waiting.result(20).status_code == 200
        assert server.process.wait(20) == 0


def test_an_idle_connection_does_not_hold_up_the_end(tmp_path: Path, sample_database: str) -> None:
    with GunicornProcess(tmp_path, database_url=sample_database) as server, requests.Session() as session:
        assert server.process is not None
        reply = session.get(f"http://{server.address}/healthz", timeout=5)
        assert reply.headers["Connection"] == "keep-alive"
        server.process.send_signal(signal.SIGTERM)

        assert server.process.wait(20) == 0


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", ""), ("IGLOO_WEB_WORKERS", "many"), ("IGLOO_BROKER_URL", "nonsense")]
)
def test_bad_configuration_is_named_and_nothing_starts(tmp_path: Path, name: str, value: str) -> None:
    server = GunicornProcess(tmp_path, database_url="postgresql://u:p@127.0.0.1:9/x", **{name: value})

    assert server.launch().wait(20) == 78
    assert f"configuration: {name}" in server.log
    assert "Traceback" not in server.log
    assert "Listening" not in server.log

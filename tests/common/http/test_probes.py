from __future__ import annotations

import re
import socket

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from factories.clocks import HandClock
from factories.jwks_publisher import Publisher
from factories.sample_service import NOWHERE, sample_app, sample_settings
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_common.keys import STALE_AFTER_SECONDS, RemoteKeys
from igloo_common.readiness import Verdict, keys_check
from igloo_common.short_connections import short_connection


def value_of(client: FlaskClient, sample: str) -> float:
    """Read one sample of the metrics, 0 when it is not there."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


# An id beyond any that the sequence has drawn.
_LATE_EVENT = """
INSERT INTO outbox (event_id, type, aggregate_key, sequence, payload, created_at)
VALUES (%(id)s, 'media.note.written.v1', 'note:1', 1, '{}', now() - interval '90 seconds')
"""


@pytest.fixture
def without_database() -> FlaskClient:
    return sample_app(sample_settings(IGLOO_MEDIA_DATABASE_URL=NOWHERE)).test_client()


def test_a_process_with_its_database_is_alive_and_ready(client: FlaskClient) -> None:
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)


def test_a_ready_process_says_what_it_needs_and_how_that_stands(client: FlaskClient) -> None:
    reply = client.get("/readyz")

    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.json == {
        "status": "ready",
        "checks": {
            "database": {"state": "answers"},
            "events": {"state": "on time", "oldest_unpublished_seconds": 0.0},
        },
    }


def test_events_that_wait_for_over_a_minute_are_told_and_keep_nobody_from_being_served(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.connection().exec_driver_sql(_LATE_EVENT, {"id": new_id()})

    reply = app.test_client().get("/readyz")

    told = (reply.json or {})["checks"]["events"]
    assert (reply.status_code, (reply.json or {})["status"], told["state"]) == (200, "degraded", "late")
    assert told["oldest_unpublished_seconds"] >= 90


def test_a_database_that_accepts_and_says_nothing_is_told_as_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"

        reply = sample_app(sample_settings(IGLOO_MEDIA_DATABASE_URL=url)).test_client().get("/readyz")

    assert reply.status_code == 503
    assert (reply.json or {})["checks"]["database"] == {"state": "away"}


def test_a_database_that_does_not_come_to_an_end_is_hung_up_on(sample_database: str) -> None:
    with short_connection(sample_database, schema="media") as connection:
        connection.execute("SET statement_timeout = 0")

        with pytest.raises(psycopg.OperationalError) as cut:
            connection.execute("SELECT pg_sleep(30)")

    assert cut.value.sqlstate is None, "no server has said so"


def test_a_process_that_never_had_signing_keys_is_not_ready_until_it_has_them(publisher: Publisher) -> None:
    publisher.reply = None
    clock = HandClock()
    keys = RemoteKeys(publisher.url, monotonic=clock)
    without = keys_check(keys)
    publisher.publish("first")
    clock.now += 2

    assert (without.verdict, without.told) == (Verdict.UNREADY, {"state": "missing"})
    assert (keys_check(keys).verdict, keys_check(keys).told["state"]) == (Verdict.READY, "fresh")


def test_keys_that_were_had_serve_on_without_auth_and_are_told_as_stale(publisher: Publisher) -> None:
    clock = HandClock()
    keys = RemoteKeys(publisher.url, monotonic=clock)
    publisher.publish("first")
    keys_check(keys)
    publisher.reply = None
    clock.now += STALE_AFTER_SECONDS + 1

    found = keys_check(keys)

    assert (found.verdict, found.told["state"]) == (Verdict.DEGRADED, "stale")
    assert keys.key("first") is not None


def test_without_its_database_it_is_alive_and_not_ready(without_database: FlaskClient) -> None:
    reply = without_database.get("/readyz")

    assert without_database.get("/healthz").status_code == 200
    assert (reply.status_code, (reply.json or {})["code"]) == (503, "unavailable")


def test_requests_are_counted_by_the_template_of_their_route(client: FlaskClient) -> None:
    route = "/v1/notes/<uuid:note_id>/copies"
    count = f'igloo_http_requests_total{{method="POST",route="{route}",status="401"}}'
    latency = f'igloo_http_request_seconds_count{{method="POST",route="{route}"}}'
    before = value_of(client, count), value_of(client, latency)

    for _ in range(3):
        client.post(f"/v1/notes/{new_id()}/copies", json={})

    assert (value_of(client, count), value_of(client, latency)) == (before[0] + 3, before[1] + 3)


def test_strangers_cannot_make_up_time_series(client: FlaskClient) -> None:
    for n in range(20):
        client.get(f"/made-up-{n}")
        client.open("/v1/notes", method=f"MADEUP{n}")

    text = client.get("/metrics").text
    assert "made-up" not in text
    assert "MADEUP" not in text
    assert 'method="other",route="unmatched",status="405"' in text


def test_the_probes_are_no_part_of_the_documented_api(app: Flask, client: FlaskClient) -> None:
    paths = (client.get("/openapi.json").json or {})["paths"]

    assert all(path.startswith("/v1/") for path in paths)

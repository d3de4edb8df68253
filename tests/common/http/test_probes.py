from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from factories.sample_service import NOWHERE, sample_app, sample_settings
from igloo_common.ids import new_id


def value_of(client: FlaskClient, sample: str) -> float:
    """Read one sample of the metrics, 0 when it is not there."""
    found = re.search(rf"^{re.escape(sample)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found.group(1)) if found else 0.0


@pytest.fixture
def without_database() -> FlaskClient:
    return sample_app(sample_settings(IGLOO_MEDIA_DATABASE_URL=NOWHERE)).test_client()


def test_a_process_with_its_database_is_alive_and_ready(client: FlaskClient) -> None:
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)


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

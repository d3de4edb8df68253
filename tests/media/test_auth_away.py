"""People who are signed in stay so while auth is away, through restarts of who verifies their tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import jwt
import requests

from factories.databases import DatabaseUrls
from factories.gunicorn_process import GunicornProcess
from factories.jwks_publisher import Publisher
from factories.polling import wait_until
from factories.tokens import KEY_ID, SIGNING_KEY, bearer
from igloo_common.ids import new_id


def media(folder: Path, urls: DatabaseUrls, publisher: Publisher) -> GunicornProcess:
    """Make a media service whose processes know auth by its published keys alone."""
    return GunicornProcess(
        folder,
        database_url=urls.service,
        application="igloo_media.wsgi:app",
        IGLOO_JWKS_URL=publisher.url,
    )


def publish(publisher: Publisher) -> None:
    """Publish the key that the tests' tokens are signed with."""
    public = jwt.algorithms.ECAlgorithm.to_jwk(SIGNING_KEY.public_key(), as_dict=True)
    publisher.reply = (200, json.dumps({"keys": [{**public, "kid": KEY_ID}]}).encode())


def keys_of(reply: requests.Response) -> object:
    return reply.json()["checks"]["keys"]["state"]


def list_uploads(process: GunicornProcess) -> int:
    address = f"http://{process.address}/v1/uploads"
    return requests.get(address, headers=bearer(new_id()), timeout=20).status_code


def test_tokens_are_verified_through_a_restart_without_auth_and_nobody_is_sent_before_keys_were_had(
    tmp_path: Path, database_urls: Mapping[str, DatabaseUrls]
) -> None:
    publisher = Publisher()
    urls = database_urls["media"]
    publisher.reply = None
    try:
        with media(tmp_path, urls, publisher) as first:
            unready = first.get("/readyz")
            publish(publisher)
            wait_until(lambda: first.get("/readyz").ok, "it is ready by itself once auth has come")
            # Two processes answer: the other one may be a moment behind.
            wait_until(lambda: all(list_uploads(first) == 200 for _ in range(8)), "both processes verify")
            known = [list_uploads(first) for _ in range(8)]
            publisher.reply = None
            known += [list_uploads(first) for _ in range(8)]
        with media(tmp_path, urls, publisher) as second:
            ready = second.get("/readyz")
            again = [list_uploads(second) for _ in range(8)]
    finally:
        publisher.stop()

    assert (unready.status_code, unready.json()["code"], keys_of(unready)) == (503, "unavailable", "missing")
    assert known == [200] * 16
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert keys_of(ready) == "last_known_good"
    assert again == [200] * 8

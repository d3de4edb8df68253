"""The auth service as its tests see it: on real PostgreSQL, with a Facebook on a loopback port."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from auth.browsers import OAUTH_CLIENTS
from auth.facebook_server import FacebookServer, running_facebook
from auth.phones import Phone
from factories.databases import DatabaseUrls
from factories.environment import service_environ
from igloo_auth.app import create_app
from igloo_auth.facebook.graph import FacebookGraph
from igloo_auth.facebook.limited_login import LimitedLogin
from igloo_auth.settings import Settings
from igloo_common.object_store import ObjectStore, StorageSettings, s3_client
from igloo_common.settings import Environment
from igloo_common.wiring import wiring_of
from igloo_local.parts.seaweed import Seaweed

MakeApp = Callable[..., Flask]

# As many as the widest race in these tests, so that a race is on the rows and not on the pool.
THREADS = 24


@pytest.fixture
def facebook(tmp_path: Path) -> Iterator[FacebookServer]:
    """Run a Facebook of this test's own."""
    with running_facebook(tmp_path / "facebook") as server:
        yield server


@pytest.fixture
def environ(
    facebook: FacebookServer, database_urls: Mapping[str, DatabaseUrls], tmp_path: Path
) -> dict[str, str]:
    """Return a valid environment of the service."""
    urls = database_urls["auth"]
    return service_environ(
        "auth",
        database_url=urls.service,
        migration_database_url=urls.migration,
        facebook_graph_url=facebook.url,
        facebook_web_url=facebook.url,
        oauth_clients=json.dumps(OAUTH_CLIENTS),
        signing_keys_file=str(tmp_path / "signing-keys.json"),
        threads=str(THREADS),
        log_level="WARNING",
    )


@pytest.fixture
def make_app(environ: dict[str, str]) -> Iterator[MakeApp]:
    """Make applications that differ in some settings, and close what they hold when the test is over."""
    with ExitStack() as cleanup:

        def make(**different: str) -> Flask:
            app = create_app(Settings.load({**environ, **different}))
            cleanup.callback(close, app)
            return app

        yield make


def close(app: Flask) -> None:
    """Close an application's connections to the database and to Facebook."""
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    for kind in (FacebookGraph, LimitedLogin):
        adapter = wiring_of(app).adapters[kind]
        assert isinstance(adapter, FacebookGraph | LimitedLogin)
        adapter.close()


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """Make the application with the settings of `environ`."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return an HTTP client of the application."""
    return app.test_client()


@pytest.fixture
def phone(client: FlaskClient, facebook: FacebookServer) -> Phone:
    """Sign somebody in on a phone."""
    return Phone.signed_in(client, facebook.token(facebook.person("Snow Hare")))


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """Open a session of the test's own; what it reads begins fresh after each `rollback` or `commit`."""
    with app.app_context(), Session(app.extensions["sqlalchemy"].engine, expire_on_commit=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def s3_environ(s3: Seaweed) -> dict[str, str]:
    """Return the settings of a bucket that is there."""
    key_id, secret = s3.credentials
    variables = {
        "IGLOO_S3_ENDPOINT": s3.url,
        "IGLOO_S3_BUCKET": "igloo-auth-test",
        "IGLOO_S3_ACCESS_KEY_ID": key_id,
        "IGLOO_S3_SECRET_ACCESS_KEY": secret,
    }
    client = s3_client(StorageSettings.read(Environment.load(variables)), s3.url, 1)
    client.create_bucket(Bucket=variables["IGLOO_S3_BUCKET"])
    client.close()
    return variables


@pytest.fixture
def store(app: Flask) -> Iterator[ObjectStore]:
    """Return the application's bucket, which a test with `s3_environ` in its `environ` finds empty."""
    found = wiring_of(app).adapters[ObjectStore]
    assert isinstance(found, ObjectStore)
    yield found
    found.remove_below("")
    for client in (found.inside, found.outside):
        client.close()

"""The social service on a real, migrated database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from factories.databases import DatabaseUrls, MigratedDatabases
from factories.environment import service_environ
from factories.plans import on_new_ground
from factories.tokens import StaticKeys
from igloo_local.parts.postgres import Postgres
from igloo_social.api import newcomers
from igloo_social.app import create_app
from igloo_social.db import db
from igloo_social.settings import Settings


@pytest.fixture(scope="session")
def settings(database_urls: Mapping[str, DatabaseUrls]) -> Settings:
    """Read the settings of a web process with as many connections as the concurrency tests have threads."""
    urls = database_urls["social"]
    environ = service_environ(
        "social",
        database_url=urls.service,
        migration_database_url=urls.migration,
        threads="12",
        log_level="ERROR",
    )
    return Settings.load(environ)


@pytest.fixture(scope="module")
def new_ground(
    postgres_server: Postgres, database_urls: MigratedDatabases
) -> Iterator[psycopg.Connection[Any]]:
    """Give the ground of a town that stands while a module judges its plans; no test changes it for good."""
    assert database_urls["social"]
    with database_urls.kept(), postgres_server.connect(database="igloo") as connection:
        on_new_ground(connection)
        yield connection


@pytest.fixture(scope="session")
def app(settings: Settings) -> Iterator[Flask]:
    """Make the application once: it keeps nothing between tests but whom it has met."""
    made = create_app(settings, keys=StaticKeys())
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Call the application's routes."""
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """Open a session beside the application's; what others shall see, the test commits."""
    with app.app_context():
        engine = db.engine
    with Session(engine, expire_on_commit=False) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer at once for ids that nobody has: the tests make them up fresh, as a newcomer's would be."""
    monkeypatch.setattr(newcomers, "PATIENCE_SECONDS", 0.0)

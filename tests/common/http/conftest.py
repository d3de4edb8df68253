"""The sample service on a real, empty database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text

from factories.jwks_publisher import Publisher
from factories.sample_service import Base, sample_app, sample_settings
from igloo_local.parts.postgres import Postgres

_DATABASE = "common_http"
_TABLES = "effects, idempotency_keys, outbox, rate_limits, revoked_sessions"


@pytest.fixture(scope="session")
def sample_database(postgres_server: Postgres) -> str:
    """Make a database with the common tables, and return the service role's address of it."""
    postgres_server.prepare(_DATABASE)
    engine = create_engine(postgres_server.migration_url("media", database=_DATABASE))
    with engine.begin() as connection:
        connection.execute(text("SET search_path = media"))
        Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE effects (text text NOT NULL)"))
    engine.dispose()
    return postgres_server.service_url("media", database=_DATABASE)


@pytest.fixture
def app(sample_database: str) -> Iterator[Flask]:
    """Make the application, and leave its tables empty."""
    app = sample_app(sample_settings(IGLOO_MEDIA_DATABASE_URL=sample_database))
    with app.app_context():
        engine: Engine = app.extensions["sqlalchemy"].engine
    yield app
    with engine.begin() as connection:
        for table in _TABLES.split(", "):
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 -- names of this file
    engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Call the application."""
    return app.test_client()


@pytest.fixture
def engine(app: Flask) -> Engine:
    """Reach the application's database beside the application."""
    with app.app_context():
        found: Engine = app.extensions["sqlalchemy"].engine
        return found


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """Publish signing keys at a port of this machine; none to begin with."""
    publisher = Publisher()
    yield publisher
    publisher.stop()

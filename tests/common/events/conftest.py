"""A publishing and a subscribing service on one database, with each broker in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psycopg
import pytest
from flask import Flask

from factories.databases import Schemas
from factories.event_rooms import DATABASE, SERVICES, delete_queue, running_app
from factories.event_services import DDL, NoteWritten, consumers
from igloo_common.messaging import Broker, broker_at
from igloo_common.messaging.topology import DEAD
from igloo_common.migrations import create_common_tables, create_rate_limits
from igloo_local.parts.postgres import Postgres
from igloo_local.parts.rabbitmq import RabbitMQ


@dataclass(frozen=True)
class _Direct:
    """Runs a migration's statements without Alembic."""

    connection: psycopg.Connection

    def execute(self, sqltext: str) -> None:
        """Run one statement."""
        self.connection.execute(sqltext.encode())


@pytest.fixture(scope="session")
def event_schemas(postgres_server: Postgres) -> Postgres:
    """Make the common tables, by their frozen migration, in the schemas of two services."""
    postgres_server.prepare(DATABASE)
    for service in SERVICES:
        url = postgres_server.migration_url(service, database=DATABASE).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            create_common_tables(_Direct(connection))
            create_rate_limits(_Direct(connection))
            connection.execute(DDL)
    return postgres_server


@pytest.fixture(scope="session")
def _emptied(event_schemas: Postgres) -> Iterator[Schemas]:
    schemas = Schemas(event_schemas, DATABASE)
    yield schemas
    schemas.close()


@pytest.fixture
def event_database(event_schemas: Postgres, _emptied: Schemas) -> Iterator[Postgres]:
    """Give the two services' database, and leave it empty."""
    yield event_schemas
    _emptied.empty(SERVICES)


@pytest.fixture
def observer(event_database: Postgres) -> Iterator[psycopg.Connection]:
    """Look at the tables of both schemas from outside, as the superuser."""
    with event_database.connect(database=DATABASE) as connection:
        yield connection


@pytest.fixture(params=["rabbitmq", "embedded"])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a broker of each kind, with the subscriber's queue declared and empty."""
    if request.param == "embedded":
        broker_at(f"filesystem://{tmp_path}/broker").declare(consumers.queue, [NoteWritten.type])
        yield f"filesystem://{tmp_path}/broker"
    else:
        yield from _declared(cast(RabbitMQ, request.getfixturevalue("rabbitmq")))


@pytest.fixture
def declared_rabbitmq(rabbitmq: RabbitMQ) -> Iterator[str]:
    """Give RabbitMQ's address, with the subscriber's queue declared and empty."""
    yield from _declared(rabbitmq)


@pytest.fixture
def broker(broker_url: str) -> Broker:
    """Reach the broker."""
    return broker_at(broker_url)


@pytest.fixture
def publisher_app(event_database: Postgres, broker_url: str) -> Iterator[Flask]:
    """Make the publishing service."""
    yield from running_app(event_database, broker_url, service="auth")


@pytest.fixture
def subscriber_app(event_database: Postgres, broker_url: str) -> Iterator[Flask]:
    """Make the subscribing service."""
    yield from running_app(event_database, broker_url, service="social")


def _declared(node: RabbitMQ) -> Iterator[str]:
    broker_at(node.url).declare(consumers.queue, [NoteWritten.type])
    yield node.url
    for queue in (consumers.queue, DEAD):
        delete_queue(node.url, queue)

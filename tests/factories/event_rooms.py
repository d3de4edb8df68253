"""Where the tests' two event services live: their database, environment and queues."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
from flask import Flask
from psycopg.sql import SQL, Identifier

from factories.environment import service_environ
from factories.event_services import event_app
from igloo_common.messaging.rabbit_link import Link
from igloo_local.parts.postgres import Postgres

DATABASE = "common_events"
SERVICES = ("auth", "social")


def running_app(server: Postgres, broker_url: str, *, service: str) -> Iterator[Flask]:
    """Make a service's application, and close its connections afterwards."""
    app, _ = event_app(environ_of(server, broker_url, service=service), service=service)
    with app.app_context():
        yield app
        app.extensions["sqlalchemy"].engine.dispose()


def environ_of(server: Postgres, broker_url: str, *, service: str, **more: str) -> dict[str, str]:
    """Return the environment of one of the two services."""
    url = server.service_url(service, database=DATABASE)
    settings = {"broker_url": broker_url, "threads": "12", "worker_port": "0", "log_level": "WARNING", **more}
    return service_environ(service, database_url=url, **settings)


def delete_queue(url: str, queue: str) -> None:
    """Remove a queue with what is in it."""
    link = Link(url)
    with link.guarded():
        link.channel.queue_delete(queue)
    link.close()


def rows(
    connection: psycopg.Connection, query: str, *parameters: object, schema: str
) -> list[tuple[object, ...]]:
    """Read from one service's schema."""
    connection.execute(SQL("SET search_path = {}").format(Identifier(schema)))
    return connection.execute(query.encode(), parameters).fetchall()

"""Migrated databases for tests: each service's schema in one real PostgreSQL, emptied between tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import compress
from pathlib import Path

import psycopg
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Composed, Identifier

from factories.environment import service_environ
from igloo_local.parts.postgres import Postgres

SERVICES_FOLDER = Path(__file__).parents[2] / "services"
_MANY = 1_000
_TABLES = (
    "SELECT schemaname, tablename FROM pg_tables"
    " WHERE schemaname = ANY(%s) AND tablename <> 'alembic_version' ORDER BY 1, 2"
)


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """How a service and its migrations reach the service's schema."""

    service: str
    migration: str


class MigratedDatabases(Mapping[str, DatabaseUrls]):
    """The addresses by service; a service is migrated when its address is first asked for."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._migrated: dict[str, DatabaseUrls] = {}
        self._schemas = Schemas(server, "igloo")
        self._are_kept = False

    def __getitem__(self, service: str) -> DatabaseUrls:
        if service not in set(self):
            raise KeyError(f"no migrations for a service called {service!r}")
        if service not in self._migrated:
            urls = DatabaseUrls(
                service=self._server.service_url(service), migration=self._server.migration_url(service)
            )
            migrate(service, urls)
            self._migrated[service] = urls
        return self._migrated[service]

    def __iter__(self) -> Iterator[str]:
        versions = SERVICES_FOLDER.glob("*/igloo_*/migrations/versions/0001*.py")
        return iter(sorted({path.parents[3].name for path in versions}))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def empty(self) -> None:
        """Delete every row that a test has left in a migrated schema, unless the rows are kept just now."""
        if self._migrated and not self._are_kept:
            self._schemas.empty(tuple(self._migrated))

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep what is written from one test to the next, and empty the schemas at the end."""
        self._are_kept = True
        try:
            yield
        finally:
            self._are_kept = False
            self.empty()

    def close(self) -> None:
        """Leave the server."""
        self._schemas.close()


def migrate(service: str, urls: DatabaseUrls) -> None:
    """Run the service's migrations by the command that a deployment runs, without a process of its own."""
    environ = service_environ(
        service, database_url=urls.service, migration_database_url=urls.migration, log_level="ERROR"
    )
    settings = import_module(f"igloo_{service}.settings").Settings.load(environ)
    with _logs_as_they_were():
        app = import_module(f"igloo_{service}.app").create_app(settings)
        done = app.test_cli_runner().invoke(args=["db", "upgrade"])
    if done.exit_code:
        raise AssertionError(f"the migrations of {service} failed:\n{done.output}") from done.exception


@contextmanager
def _logs_as_they_were() -> Iterator[None]:
    """Take back what an application does to the process's logs: other tests look for warnings there."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


class Schemas:
    """The schemas of one database, emptied over a connection that stays open: opening one costs more."""

    def __init__(self, server: Postgres, database: str) -> None:
        self._server = server
        self._database = database
        self._connection: psycopg.Connection | None = None

    def empty(self, schemas: tuple[str, ...]) -> None:
        """Delete all rows of the schemas' tables, the migration history apart.

        Deleting the few rows of the few tables in use is quicker than TRUNCATE, and waits for no reader.
        """
        try:
            self._empty(self._connected(), schemas)
        except psycopg.OperationalError:
            if self._connection is None or not self._connection.broken:
                raise
            # Tests end connections: to begin again is what a connection for each time would have done.
            self._connection.close()
            self._empty(self._connected(), schemas)

    def _empty(self, connection: psycopg.Connection, schemas: tuple[str, ...]) -> None:
        tables = connection.execute(_TABLES, [list(schemas)]).fetchall()
        if not tables:
            return
        (used,) = connection.execute(_used(tuple(tables))).fetchall()
        for table in compress(tables, used):
            _empty_table(connection, Identifier(*table))

    def close(self) -> None:
        """Leave the server."""
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._server.connect(database=self._database)
            # As a replica, PostgreSQL runs no triggers: foreign keys need no order of deletion.
            self._connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
        return self._connection


@lru_cache
def _used(tables: tuple[tuple[str, str], ...]) -> Composed:
    """Ask of each table whether it has rows."""
    return SQL("SELECT {}").format(
        SQL(", ").join(SQL("EXISTS (SELECT FROM {})").format(Identifier(*table)) for table in tables)
    )


def _empty_table(connection: psycopg.Connection, table: Identifier) -> None:
    deleted = connection.execute(SQL("DELETE FROM {}").format(table)).rowcount
    if deleted > _MANY:
        # The next test's rows would lie scattered in what these leave behind, and be read otherwise.
        # Not VACUUM, which notes that the table is empty: it would be read from end to end.
        with suppress(LockNotAvailable):
            connection.execute(SQL("TRUNCATE {} CASCADE").format(table))

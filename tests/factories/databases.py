"""Migrated databases for tests: each service's schema in one real PostgreSQL, emptied between tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Composed, Identifier

from factories.environment import service_environ
from igloo_local.parts.postgres import Postgres

SERVICES_FOLDER = Path(__file__).parents[2] / "services"
_MANY = 1_000


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
        """Delete every row that a test has left in a migrated schema."""
        if self._migrated:
            empty_schemas(self._server, "igloo", tuple(self._migrated))


def migrate(service: str, urls: DatabaseUrls) -> None:
    """Run the service's migrations by the command that a deployment runs."""
    command = [sys.executable, "-m", "flask", "--app", f"igloo_{service}.app", "db", "upgrade"]
    environ = service_environ(service, database_url=urls.service, migration_database_url=urls.migration)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    if done.returncode:
        raise AssertionError(f"the migrations of {service} failed:\n{done.stdout}\n{done.stderr}")


def empty_schemas(server: Postgres, database: str, schemas: tuple[str, ...]) -> None:
    """Delete all rows of the schemas' tables, the migration history apart.

    Deleting the few rows of the few tables in use is quicker than TRUNCATE, and waits for no reader.
    """
    with server.connect(database=database) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname = ANY(%s) AND tablename <> 'alembic_version'",
            [list(schemas)],
        ).fetchall()
        # As a replica, PostgreSQL runs no triggers: foreign keys need no order of deletion.
        connection.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
        used = [table for table in tables if connection.execute(_any_row(*table)).fetchone()]
        for schema, table in used:
            deleted = connection.execute(SQL("DELETE FROM {}").format(Identifier(schema, table))).rowcount
            if deleted > _MANY:
                # The next test's rows would lie scattered in what these leave behind, and be read otherwise.
                # Not VACUUM, which notes that the table is empty: it would be read from end to end.
                with suppress(LockNotAvailable):
                    connection.execute(SQL("TRUNCATE {} CASCADE").format(Identifier(schema, table)))


def _any_row(schema: str, table: str) -> Composed:
    return SQL("SELECT 1 FROM {} LIMIT 1").format(Identifier(schema, table))

"""The database's side of a backup: one snapshot of the three schemas, and the way back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.sql import SQL, Identifier

from igloo_common.backup_lock import BACKUP_LOCK
from igloo_local.errors import StackError
from igloo_local.parts.postgres import programs_folder
from igloo_local.parts.postgres_roles import SERVICES
from igloo_local.settings import inherited_environment

COUNTED = (
    "auth.accounts",
    "auth.refresh_tokens",
    "social.profiles",
    "social.posts",
    "social.comments",
    "social.relations",
    "social.likes",
    "media.media_items",
    "media.renditions",
)
_EVENT_TABLES = ("outbox", "inbox")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What every reader of this moment sees, for as long as its connection is held."""

    name: str
    taken_at: datetime
    revisions: Mapping[str, str]
    rows: Mapping[str, int]


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Hold a snapshot of all schemas, and whoever removes objects from the bucket, while the block runs."""
    with _connect(url) as guard, _connect(url) as connection:
        if not guard.execute("SELECT pg_try_advisory_lock(%s)", [BACKUP_LOCK]).fetchone() == (True,):
            raise StackError("another backup of this stack is under way")
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [(name, taken_at)] = connection.execute("SELECT pg_export_snapshot(), now()").fetchall()
        yield Snapshot(
            name=name,
            taken_at=taken_at.astimezone(UTC),
            revisions={service: _revision(connection, service) for service in SERVICES},
            rows=count_rows(connection, [*COUNTED, *_event_tables()]),
        )


def dump(url: str, held: Snapshot, path: Path) -> None:
    """Write the three schemas as of a snapshot into one file; what crashes lose anyway is left out."""
    schemas = [f"--schema={service}" for service in SERVICES]
    options = ["--format=custom", "--no-unlogged-table-data", f"--snapshot={held.name}", f"--file={path}"]
    _run(url, ["pg_dump", *options, *schemas])


def load(url: str, path: Path) -> None:
    """Bring a dump into a database that has its schemas, roles and extensions, and nothing in them.

    All or nothing. Owners and privileges come from the dump: they are what migrations made of them.
    """
    schemas = [f"--schema={service}" for service in SERVICES]
    options = ["--single-transaction", "--exit-on-error", f"--dbname={urlsplit(url).path.removeprefix('/')}"]
    _run(url, ["pg_restore", *options, *schemas, str(path)])
    with _connect(url) as connection:
        # Until the first statistics a plan is a guess.
        connection.execute("ANALYZE")


def bring_back_messages(url: str, *, taken_at: datetime) -> int:
    """Have every event published again that was published, and return how many.

    Some were in the broker at the snapshot; the inboxes of the same snapshot know all others. They forget by
    the time at which they received: those times move with the pause between snapshot and restore, so that an
    old backup's inboxes have forgotten nothing either when its events come again.
    """
    repeated = 0
    with _connect(url) as connection, connection.transaction():
        for service in SERVICES:
            schema = Identifier(service)
            connection.execute(
                SQL("UPDATE {}.inbox SET received_at = received_at + greatest(now() - %s, '0')").format(
                    schema
                ),
                [taken_at],
            )
            repeated += connection.execute(
                SQL("UPDATE {}.outbox SET published_at = NULL WHERE published_at IS NOT NULL").format(schema)
            ).rowcount
    return repeated


def program_environment(url: str) -> dict[str, str]:
    """Tell PostgreSQL's programs where the database is; nobody else can read a child's environment."""
    place = urlsplit(url)
    return {
        **inherited_environment(),
        "PGHOST": place.hostname or "",
        "PGPORT": str(place.port),
        "PGUSER": unquote(place.username or ""),
        "PGPASSWORD": unquote(place.password or ""),
        "PGDATABASE": place.path.removeprefix("/"),
    }


def count_rows(connection: psycopg.Connection, tables: Sequence[str]) -> dict[str, int]:
    """Count the rows of tables that are named with their schemas."""
    counts = {}
    for table in tables:
        row = connection.execute(
            SQL("SELECT count(*) FROM {}").format(Identifier(*table.split(".")))
        ).fetchone()
        counts[table] = int(row[0]) if row else 0
    return counts


def _event_tables() -> list[str]:
    return [f"{service}.{table}" for service in SERVICES for table in _EVENT_TABLES]


def _revision(connection: psycopg.Connection, service: str) -> str:
    found = connection.execute(
        SQL("SELECT version_num FROM {}.alembic_version").format(Identifier(service))
    ).fetchone()
    if found is None:
        raise StackError(f"the schema {service} has no migration in it yet")
    return str(found[0])


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(
        url.replace("postgresql+psycopg:", "postgresql:", 1), autocommit=True, connect_timeout=5
    )


def _run(url: str, arguments: Sequence[str]) -> None:
    program, *words = arguments
    done = subprocess.run(
        [os.fspath(programs_folder() / program), *words],
        env=program_environment(url),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"PostgreSQL's {program} failed", log_lines=done.stderr.splitlines()[-15:])

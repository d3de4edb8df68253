"""Where the stand-in keeps what it knows: one SQLite file that survives restarts and grows new columns."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, app_id TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY, app_id TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    issued_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, app_id TEXT NOT NULL,
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL, code_challenge TEXT, nonce TEXT, expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS friendships (
    person_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    friend_id TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (person_id, friend_id)
);
"""
_LATER_COLUMNS = {
    "people": "permissions TEXT NOT NULL DEFAULT 'email,public_profile,user_friends'",
    "tokens": "permissions TEXT NOT NULL DEFAULT 'email,public_profile,user_friends'",
    "codes": "permissions TEXT NOT NULL DEFAULT 'public_profile'",
}


class Store:
    """The file, opened anew for each transaction; threads share no connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self.connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            for table, column in _LATER_COLUMNS.items():
                _add_column(connection, table, column)

    def select(self, statement: str, *values: str) -> list[sqlite3.Row]:
        """Return the rows of a statement."""
        with self.connection() as connection:
            return [*connection.execute(statement, values)]

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction."""
        connection = sqlite3.connect(self._path, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                yield connection
        finally:
            connection.close()


def _add_column(connection: sqlite3.Connection, table: str, column: str) -> None:
    known = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
    if column.partition(" ")[0] not in known:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")

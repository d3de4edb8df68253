"""Schemas, roles and privileges: each service owns one schema, and no role can read another's."""

import json
import secrets
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from igloo_local.files import write_secret

SERVICES = ("auth", "social", "media")


EXTENSIONS = {"pg_trgm": "social"}
"""What PostgreSQL brings along and a schema needs. To install it takes more rights than migrations have."""


class RolePasswords:
    """Passwords made up at first use and kept in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, role: str) -> str:
        """Return the password of a role, making one up if it has none yet."""
        known: dict[str, str] = json.loads(self._path.read_text()) if self._path.exists() else {}
        if role not in known:
            known[role] = secrets.token_urlsafe(24)
            write_secret(self._path, json.dumps(known, indent=2))
        return known[role]


def prepare_database(connection: psycopg.Connection, passwords: RolePasswords) -> None:
    """Make schemas, roles and privileges of the connection's database match; safe to repeat."""
    database = Identifier(connection.info.dbname)
    with connection.transaction():
        connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for service in SERVICES:
            for statement in _statements(connection, service, database, passwords):
                connection.execute(statement)
        for extension, schema in EXTENSIONS.items():
            connection.execute(
                SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}").format(
                    Identifier(extension), Identifier(schema)
                )
            )


def _statements(
    connection: psycopg.Connection, service: str, database: Identifier, passwords: RolePasswords
) -> list[SQL | Composed]:
    schema, owner, user = Identifier(service), f"igloo_{service}_migrator", f"igloo_{service}"
    both = SQL("{}, {}").format(Identifier(owner), Identifier(user))
    defaults = SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} GRANT ").format(
        Identifier(owner), schema
    )
    return [
        *(_role(connection, role, schema, passwords[role]) for role in (owner, user)),
        SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, both),
        SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(schema, Identifier(owner)),
        SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, Identifier(user)),
        defaults + SQL("SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}").format(Identifier(user)),
        defaults + SQL("USAGE, SELECT ON SEQUENCES TO {}").format(Identifier(user)),
    ]


def _role(connection: psycopg.Connection, role: str, schema: Identifier, password: str) -> Composed:
    """Create the role unless it exists; its password and search path are set either way."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    return SQL("{} ROLE {} LOGIN PASSWORD {}; ALTER ROLE {} SET search_path = {}").format(
        SQL("ALTER" if known else "CREATE"), Identifier(role), Literal(password), Identifier(role), schema
    )

"""The stand-in's people, their tokens, codes and friendships, in one SQLite file that survives restarts."""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TOKEN_SECONDS = 60 * 24 * 3600
CODE_SECONDS = 600
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


@dataclass(frozen=True, kw_only=True)
class Person:
    """A test user of one app."""

    id: str
    app_id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Token:
    """A user access token."""

    token: str
    app_id: str
    person_id: str
    issued_at: int
    expires_at: int
    revoked: bool


@dataclass(frozen=True, kw_only=True)
class Code:
    """An authorization code, redeemed or not."""

    code: str
    app_id: str
    person_id: str
    redirect_uri: str
    code_challenge: str | None
    nonce: str | None
    expires_at: int
    used: bool


class People:
    """Everything that this Facebook knows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)

    def add(self, *, app_id: str, name: str) -> Person:
        """Make a person with an id as long as Facebook's."""
        person = Person(id=f"1000{secrets.randbelow(10**11):011d}", app_id=app_id, name=name)
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO people VALUES (?, ?, ?, ?)", (person.id, app_id, name, int(time.time()))
            )
        return person

    def get(self, person_id: str) -> Person | None:
        """Return a person by id."""
        rows = self._select("SELECT id, app_id, name FROM people WHERE id = ?", person_id)
        return Person(**rows[0]) if rows else None

    def all_of(self, app_id: str) -> list[Person]:
        """Return the people of an app, the newest first."""
        rows = self._select(
            "SELECT id, app_id, name FROM people WHERE app_id = ? ORDER BY created_at DESC, id", app_id
        )
        return [Person(**row) for row in rows]

    def remove(self, person_id: str) -> None:
        """Forget a person with everything about them."""
        with self._connection() as connection:
            connection.execute("DELETE FROM people WHERE id = ?", (person_id,))

    def issue_token(self, person: Person, *, seconds: int = TOKEN_SECONDS) -> Token:
        """Issue an access token that is good for `seconds`; in the past already when negative."""
        now = int(time.time())
        token = Token(
            token=f"EAA{secrets.token_hex(60)}",
            app_id=person.app_id,
            person_id=person.id,
            issued_at=now,
            expires_at=now + seconds,
            revoked=False,
        )
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, 0)",
                (token.token, token.app_id, token.person_id, token.issued_at, token.expires_at),
            )
        return token

    def token(self, text: str) -> Token | None:
        """Return what is known about a token."""
        rows = self._select(
            "SELECT token, app_id, person_id, issued_at, expires_at, revoked FROM tokens WHERE token = ?",
            text,
        )
        return Token(**{**rows[0], "revoked": bool(rows[0]["revoked"])}) if rows else None

    def newest_token(self, person: Person) -> Token:
        """Return a valid token of the person, a new one if there is none."""
        rows = self._select(
            "SELECT token FROM tokens WHERE person_id = ? AND NOT revoked AND expires_at > unixepoch()"
            " ORDER BY issued_at DESC LIMIT 1",
            person.id,
        )
        found = self.token(rows[0]["token"]) if rows else None
        return found or self.issue_token(person)

    def revoke_tokens(self, person_id: str) -> None:
        """End every token of a person, as removing the app at Facebook does."""
        with self._connection() as connection:
            connection.execute("UPDATE tokens SET revoked = 1 WHERE person_id = ?", (person_id,))

    def issue_code(
        self, person: Person, *, redirect_uri: str, code_challenge: str | None, nonce: str | None
    ) -> str:
        """Issue an authorization code for the dialog's redirect."""
        code = f"AQ{secrets.token_urlsafe(96)}"
        expires_at = int(time.time()) + CODE_SECONDS
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                (code, person.app_id, person.id, redirect_uri, code_challenge, nonce, expires_at),
            )
        return code

    def code(self, text: str) -> Code | None:
        """Return what is known about an authorization code."""
        rows = self._select(
            "SELECT code, app_id, person_id, redirect_uri, code_challenge, nonce, expires_at, used"
            " FROM codes WHERE code = ?",
            text,
        )
        return Code(**{**rows[0], "used": bool(rows[0]["used"])}) if rows else None

    def use_code(self, text: str) -> bool:
        """Mark a code as used; false when another request has just done so."""
        with self._connection() as connection:
            return (
                connection.execute("UPDATE codes SET used = 1 WHERE code = ? AND NOT used", (text,)).rowcount
                == 1
            )

    def befriend(self, one: str, other: str) -> None:
        """Make two people friends of each other."""
        with self._connection() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO friendships VALUES (?, ?)", [(one, other), (other, one)]
            )

    def friends_of(self, person_id: str) -> list[Person]:
        """Return a person's friends by name."""
        rows = self._select(
            "SELECT p.id, p.app_id, p.name FROM people p JOIN friendships f ON f.friend_id = p.id"
            " WHERE f.person_id = ? ORDER BY p.name, p.id",
            person_id,
        )
        return [Person(**row) for row in rows]

    def _select(self, statement: str, *values: str) -> list[sqlite3.Row]:
        with self._connection() as connection:
            return [*connection.execute(statement, values)]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for one transaction; threads share none."""
        connection = sqlite3.connect(self._path, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                yield connection
        finally:
            connection.close()

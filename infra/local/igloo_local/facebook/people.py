"""The stand-in's people, their tokens, codes and friendships, in one SQLite file that survives restarts."""

import secrets
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from igloo_local.facebook.permissions import ALL_PERMISSIONS, parse_permissions, write_permissions
from igloo_local.facebook.store import Store

TOKEN_SECONDS = 60 * 24 * 3600
CODE_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class Person:
    """A test user of one app."""

    id: str
    app_id: str
    name: str
    permissions: frozenset[str]
    """What the person lets the app see."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A user access token."""

    token: str
    app_id: str
    person_id: str
    issued_at: int
    expires_at: int
    revoked: bool
    permissions: frozenset[str]


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
    permissions: frozenset[str]


class People:
    """Everything that this Facebook knows."""

    def __init__(self, path: Path) -> None:
        self._store = Store(path)

    def add(self, *, app_id: str, name: str, permissions: Iterable[str] = ALL_PERMISSIONS) -> Person:
        """Make a person with an id as long as Facebook's."""
        person = Person(
            id=f"1000{secrets.randbelow(10**11):011d}",
            app_id=app_id,
            name=name,
            permissions=frozenset(permissions),
        )
        with self._store.connection() as connection:
            connection.execute(
                "INSERT INTO people (id, app_id, name, permissions, created_at) VALUES (?, ?, ?, ?, ?)",
                (person.id, app_id, name, write_permissions(person.permissions), int(time.time())),
            )
        return person

    def get(self, person_id: str) -> Person | None:
        """Return a person by id."""
        rows = self._store.select("SELECT id, app_id, name, permissions FROM people WHERE id = ?", person_id)
        return _person(rows[0]) if rows else None

    def all_of(self, app_id: str) -> list[Person]:
        """Return the people of an app, the newest first."""
        rows = self._store.select(
            "SELECT id, app_id, name, permissions FROM people WHERE app_id = ? ORDER BY created_at DESC, id",
            app_id,
        )
        return [_person(row) for row in rows]

    def permit(self, person_id: str, permissions: Iterable[str]) -> None:
        """Change what a person lets the app see, for the tokens that are there as well."""
        wanted = write_permissions(permissions)
        with self._store.connection() as connection:
            connection.execute("UPDATE people SET permissions = ? WHERE id = ?", (wanted, person_id))
            connection.execute("UPDATE tokens SET permissions = ? WHERE person_id = ?", (wanted, person_id))

    def remove(self, person_id: str) -> None:
        """Forget a person with everything about them."""
        with self._store.connection() as connection:
            connection.execute("DELETE FROM people WHERE id = ?", (person_id,))

    def issue_token(
        self, person: Person, *, seconds: int = TOKEN_SECONDS, permissions: Iterable[str] | None = None
    ) -> Token:
        """Issue an access token that is good for `seconds`; in the past already when negative."""
        now = int(time.time())
        token = Token(
            token=f"EAA{secrets.token_hex(60)}",
            app_id=person.app_id,
            person_id=person.id,
            issued_at=now,
            expires_at=now + seconds,
            revoked=False,
            permissions=person.permissions if permissions is None else frozenset(permissions),
        )
        with self._store.connection() as connection:
            connection.execute(
                "INSERT INTO tokens (token, app_id, person_id, issued_at, expires_at, permissions)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    token.token,
                    token.app_id,
                    token.person_id,
                    token.issued_at,
                    token.expires_at,
                    write_permissions(token.permissions),
                ),
            )
        return token

    def token(self, text: str) -> Token | None:
        """Return what is known about a token."""
        rows = self._store.select(
            "SELECT token, app_id, person_id, issued_at, expires_at, revoked, permissions FROM tokens"
            " WHERE token = ?",
            text,
        )
        return Token(**{**_known(rows[0]), "revoked": bool(rows[0]["revoked"])}) if rows else None

    def newest_token(self, person: Person) -> Token:
        """Return a valid token of the person, a new one if there is none."""
        rows = self._store.select(
            "SELECT token FROM tokens WHERE person_id = ? AND NOT revoked AND expires_at > unixepoch()"
            " ORDER BY issued_at DESC LIMIT 1",
            person.id,
        )
        found = self.token(rows[0]["token"]) if rows else None
        return found or self.issue_token(person)

    def revoke_tokens(self, person_id: str) -> None:
        """End every token of a person, as removing the app at Facebook does."""
        with self._store.connection() as connection:
            connection.execute("UPDATE tokens SET revoked = 1 WHERE person_id = ?", (person_id,))

    def issue_code(
        self,
        person: Person,
        *,
        redirect_uri: str,
        code_challenge: str | None,
        nonce: str | None,
        permissions: Iterable[str],
    ) -> str:
        """Issue an authorization code for the dialog's redirect."""
        code = f"AQ{secrets.token_urlsafe(96)}"
        expires_at = int(time.time()) + CODE_SECONDS
        wanted = write_permissions(permissions)
        with self._store.connection() as connection:
            connection.execute(
                "INSERT INTO codes (code, app_id, person_id, redirect_uri, code_challenge, nonce, expires_at,"
                " permissions) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (code, person.app_id, person.id, redirect_uri, code_challenge, nonce, expires_at, wanted),
            )
        return code

    def code(self, text: str) -> Code | None:
        """Return what is known about an authorization code."""
        rows = self._store.select(
            "SELECT code, app_id, person_id, redirect_uri, code_challenge, nonce, expires_at, used,"
            " permissions FROM codes WHERE code = ?",
            text,
        )
        return Code(**{**_known(rows[0]), "used": bool(rows[0]["used"])}) if rows else None

    def use_code(self, text: str) -> bool:
        """Mark a code as used; false when another request has just done so."""
        with self._store.connection() as connection:
            used = connection.execute("UPDATE codes SET used = 1 WHERE code = ? AND NOT used", (text,))
            return used.rowcount == 1

    def befriend(self, one: str, other: str) -> None:
        """Make two people friends of each other."""
        with self._store.connection() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO friendships VALUES (?, ?)", [(one, other), (other, one)]
            )

    def friends_of(self, person_id: str) -> list[Person]:
        """Return a person's friends by name."""
        rows = self._store.select(
            "SELECT p.id, p.app_id, p.name, p.permissions FROM people p"
            " JOIN friendships f ON f.friend_id = p.id WHERE f.person_id = ? ORDER BY p.name, p.id",
            person_id,
        )
        return [_person(row) for row in rows]


def _person(row: sqlite3.Row) -> Person:
    return Person(**_known(row))


def _known(row: sqlite3.Row) -> dict[str, Any]:
    return {**dict(row), "permissions": parse_permissions(row["permissions"])}

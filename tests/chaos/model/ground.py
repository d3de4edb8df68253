"""What all checks stand on: the ledger, the database, and people's phones with fresh tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString, Self
from urllib.parse import urlencode

from psycopg.rows import dict_row

from chaos.model.facts import SignedIn, Violation
from chaos.model.ledger import Ledger
from chaos.model.places import Places
from igloo_local.phone import Json, Phone

Row = Mapping[str, Any]


class Ground:
    """One check-up; `phones` holds a signed-in phone of each person, once the sessions have been checked."""

    def __init__(self, ledger: Ledger, places: Places) -> None:
        self.ledger = ledger
        self.places = places
        self.phones: dict[str, Phone] = {}
        self.connection = places.connect()

    def rows(self, query: LiteralString, **parameters: object) -> Sequence[Row]:
        """Read from the database, as superuser; ids come as text."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, parameters).fetchall()

    def phone_of(self, session: SignedIn) -> Phone:
        """Return a phone that holds a session's refresh token."""
        return Phone(gateway=self.places.gateway, refresh_token=session.refresh_token)

    def new_phone(self) -> Phone:
        """Return a phone with nobody signed in."""
        return Phone(gateway=self.places.gateway)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        for phone in self.phones.values():
            phone.http.close()


def every(phone: Phone, path: str, **query: str) -> Iterator[Json]:
    """Yield all rows of a paged route."""
    cursor: dict[str, str] = {}
    while True:
        page = phone.call("GET", f"{path}?{urlencode({**query, **cursor, 'limit': '100'})}")
        yield from page["data"]
        if page["page"]["next_cursor"] is None:
            return
        cursor = {"cursor": page["page"]["next_cursor"]}


def broken(promise: str, sentences: Iterator[str] | Sequence[str]) -> list[Violation]:
    """Make violations of one promise."""
    return [Violation(promise=promise, sentence=sentence) for sentence in sentences]

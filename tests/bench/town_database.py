"""Writes a town into a database by COPY."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

import psycopg
from psycopg.sql import SQL, Identifier

from bench.town_rows import tables
from bench.towns import Town, post_id

LINES_AT_ONCE: Final = 5_000


def build(connection: psycopg.Connection, town: Town, *, say: Callable[[str], None]) -> None:
    """Write a town into an empty schema, all or nothing, and say how long each table took.

    Args:
        connection: in autocommit, of a role that may write to social's schema.
        town: how large.
        say: takes one line a table.
    """
    with connection.transaction():
        for table, columns, lines in tables(town):
            started = time.perf_counter()
            count = _copy(connection, table, columns, lines)
            say(f"{count:>10,} {table} in {time.perf_counter() - started:.1f} s")
    started = time.perf_counter()
    # The plans that tables of this age would have; fresh ones have no statistics yet.
    connection.execute("VACUUM ANALYZE")
    say(f"statistics in {time.perf_counter() - started:.1f} s")


def is_built(connection: psycopg.Connection, town: Town) -> bool:
    """Tell whether a town of this size is there already."""
    row = connection.execute("SELECT FROM posts WHERE id = %s", (post_id(town.posts),)).fetchone()
    return row is not None


@contextmanager
def connected(database_url: str) -> Iterator[psycopg.Connection]:
    """Connect to social's schema, in autocommit."""
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET search_path = social")
        yield connection


def _copy(connection: psycopg.Connection, table: str, columns: str, lines: Iterable[str]) -> int:
    statement = SQL("COPY {} ({}) FROM STDIN").format(
        Identifier(table), SQL(", ").join(Identifier(name) for name in columns.split())
    )
    cursor, rows = connection.cursor(), iter(lines)
    with cursor.copy(statement) as copy:
        while chunk := "".join(islice(rows, LINES_AT_ONCE)):
            copy.write(chunk)
    return cursor.rowcount

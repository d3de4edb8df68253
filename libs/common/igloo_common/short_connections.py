"""A database connection for one short question, which ends in time whatever becomes of the database."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Timer
from typing import Any, Final

import psycopg

_CONNECT_SECONDS: Final = 2  # libpq waits no shorter
_TALK_SECONDS: Final = 1.0
_OPTIONS: Final = {"statement_timeout": "800ms", "lock_timeout": "300ms", "timezone": "UTC"}


@contextmanager
def short_connection(database_url: str, *, schema: str) -> Iterator[psycopg.Connection[Any]]:
    """Open a connection in autocommit, and close it in three seconds at most, used or not.

    No pool is asked: a busy process is not a broken one, and a broken pooled connection says nothing of the
    database. A server that has vanished does not keep to its own `statement_timeout`: the line is cut here.

    Raises:
        psycopg.Error: it cannot be had, it refuses, or it has taken too long.
    """
    url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    options = " ".join(f"-c {name}={value}" for name, value in {**_OPTIONS, "search_path": schema}.items())
    connection = psycopg.connect(url, connect_timeout=_CONNECT_SECONDS, options=options, autocommit=True)
    with closing(connection), _cut_after(_TALK_SECONDS, connection):
        yield connection


@contextmanager
def _cut_after(seconds: float, connection: psycopg.Connection[Any]) -> Iterator[None]:
    # A copy of the descriptor: the connection's own may be another file's by the time the clock strikes.
    with socket.socket(fileno=os.dup(connection.fileno())) as line:
        clock = Timer(seconds, _cut, [line])
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)

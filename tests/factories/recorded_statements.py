"""Records the statements that reads and changes send to PostgreSQL, and asks it how it goes about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Literal
from sqlalchemy import Connection, event

from igloo_common.pipeline import Pipeline

if TYPE_CHECKING:
    from igloo_common.pipeline import Queued

_PIPELINE = "igloo_pipeline"
"""Where igloo_common.statements keeps a connection's pipeline."""
_PARAMETER = re.compile(r"%\((\w+)\)s")


class Executed(NamedTuple):
    """A statement with its parameters as $1, $2, …, and their values."""

    text: str
    values: Sequence[object]


class _RecordingPipeline(Pipeline):
    def __init__(self, driver: psycopg.Connection[Any], executed: list[Executed]) -> None:
        super().__init__(driver)
        self._executed = executed

    def add(self, text: bytes, values: Sequence[object]) -> Queued:
        self._executed.append(Executed(text.decode(), list(values)))
        return super().add(text, values)


@contextmanager
def recorded(connection: Connection) -> Iterator[list[Executed]]:
    """Record what is sent on a connection, through Statement or by SQLAlchemy."""
    executed: list[Executed] = []
    driver: Any = connection.connection.dbapi_connection
    before = connection.info.get(_PIPELINE)
    connection.info[_PIPELINE] = _RecordingPipeline(driver, executed)

    def record(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:  # noqa: ANN401 - the driver's
        executed.append(_numbered(text, values or {}))

    event.listen(connection, "before_cursor_execute", record)
    try:
        yield executed
    finally:
        event.remove(connection, "before_cursor_execute", record)
        connection.info.pop(_PIPELINE)
        if before is not None:
            connection.info[_PIPELINE] = before


def explained(
    connection: psycopg.Connection[Any], executed: Executed, options: str
) -> Sequence[tuple[Any, ...]]:
    """Explain the generic plan, which a statement that is prepared may switch to; what it does is undone."""
    types = SQL(", ").join(SQL(_type_of(value)) for value in executed.values)
    given = SQL(", ").join(Literal(value) for value in executed.values)
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        head = SQL("PREPARE explained ({})" if executed.values else "PREPARE explained").format(types)
        connection.execute(head.as_bytes(connection) + b" AS " + executed.text.encode())
        execute = SQL("({})").format(given) if executed.values else SQL("")
        question = SQL("EXPLAIN ({}) EXECUTE explained {}").format(SQL(options), execute)
        answer = connection.execute(question).fetchall()
        connection.execute("DEALLOCATE explained")
    return answer


def plan_of(connection: psycopg.Connection[Any], executed: Executed, *, run: bool) -> Mapping[str, Any]:
    """Return a generic plan's tree, with what it did if it is run."""
    answer = explained(connection, executed, f"{'ANALYZE, ' if run else ''}FORMAT JSON")
    plan: Mapping[str, Any] = answer[0][0][0]["Plan"]
    return plan


def _numbered(text: str, values: Mapping[str, object]) -> Executed:
    names = list(dict.fromkeys(_PARAMETER.findall(text)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", text)
    return Executed(numbered.replace("%%", "%"), [values[name] for name in names])


def _type_of(value: object) -> str:
    """Name the type that psycopg sends a value with."""
    match value:
        case UUID():
            return "uuid"
        case datetime():
            return "timestamptz"
        case list() if value and isinstance(value[0], UUID):
            return "uuid[]"
        case _:
            return "unknown"

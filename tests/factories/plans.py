"""The generic plans that prepared statements may switch to, taken apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Literal

from igloo_common.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg
    from sqlalchemy import Select

_PARAMETER = re.compile(r"%\((\w+)\)s")
_TYPES = {
    "viewer_id": "uuid",
    "user_id": "uuid",
    "author_id": "uuid",
    "comment_id": "uuid",
    "people": "uuid[]",
    "a": "uuid",
    "b": "uuid",
    "post_id": "uuid",
    "recipient_id": "uuid",
    "actor_id": "uuid",
    "object_id": "uuid",
    "group_id": "uuid",
    "kind": "text",
    "now": "timestamptz",
    "id": "uuid",
    "ids": "uuid[]",
    "after": "uuid",
    "limit": "integer",
    "number": "integer",
    "tag": "text",
    "at": "timestamptz",
    "until": "timestamptz",
    "given_at": "timestamptz",
    "leased_until": "timestamptz",
    "claim_id": "uuid",
    "owner_id": "uuid",
    "turn": "interval",
    "cost": "interval",
}


_NEXT_TO_NOTHING = 5


def on_new_ground(connection: psycopg.Connection[Any], schema: str = "social") -> None:
    """Empty a schema before a town is built, down to where rows lie and what is known of them.

    Rows go into the gaps that earlier ones left, and statistics of tables that were full once stay: both make
    other plans.
    """
    tables = connection.execute(
        "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
        " WHERE schemaname = %s AND tablename <> 'alembic_version'",
        [schema],
    ).fetchall()
    connection.execute(f"TRUNCATE {', '.join(name for (name,) in tables)}".encode())
    connection.execute(
        "DELETE FROM pg_statistic USING pg_class"
        " WHERE starelid = pg_class.oid AND relnamespace = %s::regnamespace",
        [schema],
    )
    connection.execute(f"SET search_path = {schema}".encode())


def settle(connection: psycopg.Connection[Any], *tables: str) -> None:
    """Leave the tables of a town as after a quiet night: what earlier tests left in them is not judged.

    Rows that were deleted stay in the indexes and make them look dear. The other tables are let be: an empty
    one that was analysed is rightly read from end to end.
    """
    for table in tables:
        connection.execute(f"REINDEX TABLE {table}".encode())
        connection.execute(f"VACUUM ANALYZE {table}".encode())
    # What this read is not to be counted as the test's.
    connection.execute("SELECT pg_stat_force_next_flush()")


def generic_plan(
    connection: psycopg.Connection[Any], statement: Statement | Select[Any], values: Mapping[str, object]
) -> list[dict[str, Any]]:
    """Prepare a statement as psycopg does, run its generic plan, and list the plan's nodes."""
    written = (statement if isinstance(statement, Statement) else Statement(statement)).text
    names = list(dict.fromkeys(_PARAMETER.findall(written)))
    text = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", written)
    types = ", ".join(_TYPES[name] for name in names)
    given = SQL(", ").join(Literal(values[name]) for name in names)
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE page ({types}) AS {text}".encode())
        explain = SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({})").format(given)
        answer = connection.execute(explain).fetchall()[0][0]
        connection.execute("DEALLOCATE page")
    return list(_nodes(answer[0]["Plan"]))


def read_through(plan: list[dict[str, Any]]) -> list[str]:
    """List the tables that are read from end to end, save those that the town has nothing in.

    To read through an empty table is the best that can be done, once it is known to be empty: that depends on
    which tests ran before, and says nothing of its indexes.
    """
    tables = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
    return sorted(table for table in tables if rows_read(plan, table) > _NEXT_TO_NOTHING)


def rows_read(plan: list[dict[str, Any]], table: str) -> float:
    """Count the rows of a table that the plan went through, those that a filter threw away included."""
    counts: list[float] = [
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in plan
        if node.get("Relation Name") == table
    ]
    return sum(counts)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)

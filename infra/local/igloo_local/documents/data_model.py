"""The tables of each schema as entity-relationship diagrams, drawn from the models."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from igloo_common.tables import add_common_tables, add_key_copies
from igloo_local.documents.texts import NOTE, first_sentence
from igloo_local.parts.postgres_roles import SERVICES

INTRO = Path(__file__).with_name("data_model_intro.md")
COMMON_INTRO = """\
## In every schema

`igloo_common` keeps these for each service, in the service's own schema. The diagrams above leave them out.
"""
_COMMON_PURPOSES = {
    "outbox": "An event that this service publishes, written in the transaction of its change.",
    "event_sequences": "The last number given to an event of one key: none is ever given twice.",
    "inbox": "An event that came in, as it came: pending, applied, stale, dead or ignored.",
    "parked_messages": "A message that is no event of ours, kept as it came so that it stops no queue.",
    "idempotency_keys": "The answer to a creating request, kept a day under its Idempotency-Key.",
    "revoked_sessions": "A session whose access tokens are refused until the last of them has expired.",
    "key_copies": "The public keys of auth as they were had last, sealed; in social and media alone.",
    "rate_limits": "What is left of a limit of an address, person or device; a crash forgets it.",
}
_SHORT_TYPES = {"timestamp with time zone": "timestamptz"}


def data_model() -> str:
    """Return the document."""
    common = MetaData()
    add_common_tables(common)
    add_key_copies(common)
    parts = [INTRO.read_text()]
    for service in SERVICES:
        tables = [table for name, table in _metadata(service).tables.items() if name not in common.tables]
        parts += [f"## {service}\n", _section(tables, _purposes(service))]
    parts += [COMMON_INTRO, _section(common.tables.values(), _COMMON_PURPOSES), NOTE]
    return "\n".join(parts)


def _metadata(service: str) -> MetaData:
    importlib.import_module(f"igloo_{service}.models")
    metadata: MetaData = importlib.import_module(f"igloo_{service}.db").Base.metadata
    return metadata


def _purposes(service: str) -> Mapping[str, str]:
    importlib.import_module(f"igloo_{service}.models")
    mappers = importlib.import_module(f"igloo_{service}.db").Base.registry.mappers
    return {mapper.local_table.name: first_sentence(mapper.class_) for mapper in mappers}


def _section(tables: Iterable[Table], purposes: Mapping[str, str]) -> str:
    ordered = sorted(tables, key=lambda table: table.name)
    rows = [f"| `{table.name}` | {purposes[table.name]} |" for table in ordered]
    return "\n".join([*_diagram(ordered), "", "| table | a row is |", "|---|---|", *rows, ""])


def _diagram(tables: Iterable[Table]) -> Iterator[str]:
    yield "```mermaid"
    yield "erDiagram"
    for table in tables:
        yield f"  {table.name} {{"
        for column in table.columns:
            yield f"    {_attribute(column)}"
        yield "  }"
    for table in tables:
        yield from sorted(f"  {_line(key)}" for key in table.foreign_key_constraints)
    yield "```"


def _attribute(column: Column[object]) -> str:
    words = [_type(column), column.name]
    if keys := [*_keys(column)]:
        words.append(", ".join(keys))
    if column.nullable:
        words.append('"or null"')
    return " ".join(words)


def _type(column: Column[object]) -> str:
    name = column.type.compile(postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    return _SHORT_TYPES.get(name, name)


def _keys(column: Column[object]) -> Iterator[str]:
    if column.primary_key:
        yield "PK"
    if column.foreign_keys:
        yield "FK"
    if _is_unique(column):
        yield "UK"


def _is_unique(column: Column[object]) -> bool:
    constraints = (one for one in column.table.constraints if isinstance(one, UniqueConstraint))
    return any([*constraint.columns] == [column] for constraint in constraints)


def _line(key: ForeignKeyConstraint) -> str:
    columns = [*key.columns]
    only_key = [*key.table.primary_key.columns] == columns
    one = "|o" if any(column.nullable for column in columns) else "||"
    many = "o|" if only_key or (len(columns) == 1 and _is_unique(columns[0])) else "o{"
    names = "_".join(column.name for column in columns)
    return f"{key.referred_table.name} {one}--{many} {key.table.name} : {names}"

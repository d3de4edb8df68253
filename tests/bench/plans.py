"""Writes `docs/plans.md`: how PostgreSQL goes about each hot statement in the largest town."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from bench.growth import town_stack
from bench.town_database import connected
from bench.town_places import place_in
from bench.towns import Town
from factories.hot_statements import READS, HotRead, Place, weaknesses
from factories.recorded_statements import Executed, explained, plan_of, recorded

PAGE: Final = Path("docs/plans.md")
LONGEST_LINE: Final = 130
HEAD: Final = """# Plans of the hot statements
Written by `make bench ARGS="--only plans"` in the town of {posts:,} posts and {people:,} people.
Each is the generic plan, to which a prepared statement may switch at any time, with the rows that it read.
`tests/factories/hot_statements.py` names the statements; `tests/social/test_hot_plans.py` holds them, and
those of the hot changes, to this in a small town: no table is read from end to end, and little is sorted.

Left out of each tree is what says nothing about the way taken: filters, keys of sorts, parts that never ran.
`account_tasks`, which holds who is being erased, exported or suspended just now, is mostly empty, as here.
"""
# What a line of EXPLAIN tells that says where PostgreSQL looks, and what it throws away.
_TELLING: Final = re.compile(r"\s*(->|Index Cond:|Rows Removed|Recheck Cond:)")
_COSTS: Final = re.compile(r"\((actual rows=[\d.]+ loops=\d+)\)")


def write_plans(town: Town, *, broker: str) -> None:
    """Explain every hot read, refuse a weak plan, and write the page."""
    with (
        town_stack(town, broker=broker) as stack,
        connected(stack.addresses.databases["superuser"]) as connection,
    ):
        engine = create_engine(
            stack.addresses.databases["superuser"],
            poolclass=NullPool,
            connect_args={"options": "-c search_path=social"},
        )
        place = place_in(connection, town)
        sections = [_section(connection, engine, hot, place) for hot in READS]
    PAGE.write_text("\n".join([HEAD.format(posts=town.posts, people=town.people), *sections]))
    print(f"{len(sections)} plans are in {PAGE}.")


def _section(connection: psycopg.Connection, engine: Engine, hot: HotRead, place: Place) -> str:
    with engine.connect() as reader, recorded(reader) as executed:
        hot.read(reader, place)
    lines = [f"## {hot.name[0].upper()}{hot.name[1:]}", hot.why, ""]
    for statement in _different(executed):
        for weakness in weaknesses(plan_of(connection, statement, run=True), sorted_rows=hot.sorted_rows):
            print(f"{hot.name}: {weakness}")
            lines.append(f"**It {weakness}.**")
        answer = explained(connection, statement, "ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF")
        lines += ["```", *_trimmed([line for (line,) in answer]), "```", ""]
    return "\n".join(lines)


def _different(executed: Sequence[Executed]) -> Sequence[Executed]:
    return list({statement.text: statement for statement in executed}.values())


def _trimmed(lines: Sequence[str]) -> Iterator[str]:
    """Leave out the branches that never ran, and lines that say nothing about the way."""
    skipped_below: int | None = None
    for place, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        if skipped_below is not None and depth > skipped_below:
            continue
        skipped_below = None
        if "(never executed)" in line:
            skipped_below = depth
        elif place == 0 or _TELLING.match(line):
            short = _COSTS.sub(r"(\1)", line)
            yield short if len(short) <= LONGEST_LINE else f"{short[:LONGEST_LINE]}…"

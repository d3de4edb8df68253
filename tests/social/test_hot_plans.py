"""No hot statement reads a table from end to end, whatever plan its prepared form switches to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from bench.town_database import build
from bench.town_places import place_in
from bench.towns import Town
from factories.hot_statements import READS, WRITES, Place, weaknesses
from factories.plans import on_new_ground
from factories.recorded_statements import Executed, plan_of, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Engine

    from factories.databases import DatabaseUrls
    from igloo_local.parts.postgres import Postgres

TOWN = Town(posts=10_000, people=2_000)


@pytest.fixture
def town(
    postgres_server: Postgres, database_urls: Mapping[str, DatabaseUrls]
) -> Iterator[psycopg.Connection[Any]]:
    assert database_urls["social"]
    with postgres_server.connect(database="igloo") as connection:
        on_new_ground(connection)
        build(connection, TOWN, say=lambda _: None)
        yield connection


@pytest.fixture
def engine(database_urls: Mapping[str, DatabaseUrls]) -> Engine:
    return create_engine(database_urls["social"].service, poolclass=NullPool)


def test_hot_statements_look_where_indexes_lead(town: psycopg.Connection[Any], engine: Engine) -> None:
    place = place_in(town, TOWN)

    found = {**_found_in_reads(town, engine, place), **_found_in_writes(town, engine, place)}

    assert [f"{name}: {weakness}" for name, weak in found.items() for weakness in weak] == []
    # That this is no idle talk: what no index leads to is found, and so is what sorts the town.
    by_words = Executed("SELECT id FROM posts WHERE caption = $1", ["Post number 7 of the town"])
    assert weaknesses(plan_of(town, by_words, run=True)) == ["reads all of posts"]
    by_likes = Executed("SELECT id FROM posts ORDER BY like_count, id", [])
    assert "sorts 10040 rows" in weaknesses(plan_of(town, by_likes, run=True))


def _found_in_reads(town: psycopg.Connection[Any], engine: Engine, place: Place) -> dict[str, list[str]]:
    found = {}
    for hot in READS:
        with engine.connect() as reader, recorded(reader) as executed:
            hot.read(reader, place)
        assert executed, hot.name
        found[hot.name] = [
            weakness
            for statement in executed
            for weakness in weaknesses(plan_of(town, statement, run=True), sorted_rows=hot.sorted_rows)
        ]
    return found


def _found_in_writes(town: psycopg.Connection[Any], engine: Engine, place: Place) -> dict[str, list[str]]:
    found = {}
    for hot in WRITES:
        with engine.connect() as connection, recorded(connection) as executed, Session(connection) as session:
            hot.write(session, place)
            session.rollback()
        assert executed, hot.name
        found[hot.name] = [
            weakness for statement in executed for weakness in weaknesses(plan_of(town, statement, run=False))
        ]
    return found

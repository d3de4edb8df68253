"""What a search reads: a bounded part of an index, however many people there are."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from factories.plans import settle
from igloo_common.statements import Statement
from igloo_social.queries.search import MOST_BEGINNINGS, alike_statement, beginning_statement

PEOPLE = 4_000
VIEWER = UUID("00000000-0000-7000-8000-000000000001")

# A quarter of them are alike, and the viewer follows everybody.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       CASE WHEN n % 4 = 0 THEN 'hare_' ELSE 'p' || substr(md5(n::text), 1, 4) END || lpad(n::text, 5, '0'),
       CASE WHEN n % 4 = 0 THEN '북극 눈토끼' ELSE initcap(substr(md5((n * 7)::text), 1, 6)) || ' Auk' END,
       now(), now()
FROM generate_series(1, {people}) AS n;

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT {viewer}, 'f', user_id, now() FROM profiles WHERE user_id <> {viewer};
"""


@pytest.fixture(scope="module")
def town(new_ground: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    new_ground.execute(SQL(_TOWN).format(people=Literal(PEOPLE), viewer=Literal(VIEWER)))
    settle(new_ground, "profiles", "relations", "search_names")
    return new_ground


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def generic_plan(connection: psycopg.Connection[Any], text: str, *values: object) -> list[dict[str, Any]]:
    """Run the generic plan of a statement, as a prepared one may, and list the plan's nodes."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE search AS {text}".encode())
        given = SQL(", ").join(map(Literal, values))
        explain = SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE search ({})").format(given)
        answer = connection.execute(explain).fetchall()[0][0]
        connection.execute("DEALLOCATE search")
    return list(nodes(answer[0]["Plan"]))


def numbered(text: str, names: tuple[str, ...]) -> str:
    for place, name in enumerate(names, 1):
        text = text.replace(f"%({name})s", f"${place}")
    return text.replace("%%", "%")


@pytest.mark.parametrize(("typed", "username"), [("hare", "hare"), ("눈", ""), ("h", "h"), ("토끼", "")])
def test_what_begins_so_is_two_ranges_of_a_hundred(
    town: psycopg.Connection[Any], typed: str, username: str
) -> None:
    names = ("typed", "username", "viewer_id", "limit")
    text = numbered(Statement(beginning_statement()).text, names)

    plan = generic_plan(town, text, typed, username, VIEWER, 20)

    assert [node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"] in (
        [],
        ["account_tasks"],
    )
    scans = [node for node in plan if node.get("Relation Name") == "search_names"]
    assert {scan["Index Name"] for scan in scans} == {"ix_search_names_usernames", "ix_search_names_words"}
    assert all("name >=" in scan["Index Cond"] for scan in scans)
    assert all(scan["Actual Rows"] * scan["Actual Loops"] <= MOST_BEGINNINGS for scan in scans)
    for table in ("profiles", "relations"):
        read = [n["Actual Rows"] * n["Actual Loops"] for n in plan if n.get("Relation Name") == table]
        assert sum(read) <= 2 * MOST_BEGINNINGS


@pytest.mark.parametrize(("typed", "most"), [("눈토깨", 500), ("nobody at all", 0)])
def test_what_is_like_it_is_read_from_the_trigrams(
    town: psycopg.Connection[Any], typed: str, most: int
) -> None:
    names = ("typed", "viewer_id", "limit")
    text = numbered(Statement(alike_statement()).text, names)

    plan = generic_plan(town, text, typed, VIEWER, 20)

    assert [node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"] in (
        [],
        ["account_tasks"],
    )
    (near,) = [node for node in plan if node["Node Type"] == "Function Scan"]
    assert near["Actual Rows"] == most


def test_the_trigrams_answer_without_a_walk_over_all_names(town: psycopg.Connection[Any]) -> None:
    # A function's own plan is in no EXPLAIN: what the transaction did is counted, without those before it.
    town.execute("SELECT pg_stat_force_next_flush()")
    with town.transaction():
        town.execute("SELECT count(*) FROM names_like('눈토깨')").fetchall()
        counts = town.execute(
            "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables"
            " WHERE schemaname = 'social' AND relname = 'search_names'"
        ).fetchone()

    assert counts == (0, 1)

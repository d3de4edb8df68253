"""The generic plans of explore and of tag pages: bounded, however much there is and whoever looks."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Select

from factories.plans import generic_plan, read_through, rows_read, settle
from igloo_common.statements import Statement
from igloo_social.queries.explore import explore_statement
from igloo_social.queries.scans import LONGEST_SCAN
from igloo_social.queries.tags import tag_statement

VIEWER = UUID("00000000-0000-7000-8000-000000000001")

# The viewer follows all of a town, mutes a tenth of it, and has liked everything; every fifth is private.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, is_private, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', n % 5 = 0, now(), now()
FROM generate_series(1, 400) AS n;

INSERT INTO posts (id, author_id, caption, visibility, state, created_at, published_at, rank_at)
SELECT overlay('00000000-0000-7000-9000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       author.user_id, '#snow', CASE WHEN n % 3 = 0 THEN 'followers' ELSE 'public' END, 'published',
       at, at, at
FROM generate_series(1, 4000) AS n
JOIN profiles author ON author.username = 'p' || lpad((n % 400 + 1)::text, 5, '0'),
LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS at);

INSERT INTO post_tags (tag, published_at, post_id)
SELECT tag, published_at, id FROM posts, unnest(ARRAY['snow', 'ice']) AS tag;

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT me.user_id, kind, other.user_id, now()
FROM profiles me JOIN profiles other ON me.user_id <> other.user_id, unnest(ARRAY['f', 'm']) AS kind
WHERE CASE kind WHEN 'f' THEN me.username < 'p00030' ELSE right(other.username, 1) = '7' END;

INSERT INTO likes (post_id, user_id, created_at)
SELECT post.id, fan.user_id, now() FROM posts post JOIN profiles fan ON fan.username < 'p00004';
"""
VALUES = {
    "viewer_id": VIEWER,
    "tag": "snow",
    "limit": 21,
    "at": "2026-01-02 12:00:00+00",
    "id": UUID("00000000-0000-7000-9000-000000002160"),
}
WAYS = [(False, False), (False, True), (True, True)]


@pytest.fixture(scope="module")
def town(new_ground: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    new_ground.execute(_TOWN.encode())
    settle(new_ground, "profiles", "posts", "relations", "post_tags", "likes")
    return new_ground


def assert_bounded(
    town: psycopg.Connection[Any], statement: Select[Any], *, table: str, index: str, bounded: bool
) -> None:
    plan = generic_plan(town, Statement(statement), VALUES)

    assert read_through(plan) == []
    (scan,) = [node for node in plan if node.get("Index Name") == index]
    assert (scan["Node Type"], scan["Actual Rows"]) == ("Index Only Scan", 21)
    assert ("ROW(" in scan.get("Index Cond", "")) == bounded
    assert max(node["Plan Rows"] for node in plan if node["Node Type"] == "Limit") <= LONGEST_SCAN
    assert rows_read(plan, "posts") <= (21 if table != "posts" else 42)
    for other in ("profiles", "likes"):
        assert rows_read(plan, other) <= 21


@pytest.mark.parametrize(("newer", "bounded"), WAYS)
def test_a_page_of_explore_is_one_range_and_as_many_looks_as_it_scans(
    town: psycopg.Connection[Any], *, newer: bool, bounded: bool
) -> None:
    statement = explore_statement(newer=newer, bounded=bounded)

    assert_bounded(town, statement, table="posts", index="ix_posts_explore", bounded=bounded)


@pytest.mark.parametrize(("newer", "bounded"), WAYS)
def test_a_page_of_a_tag_is_one_range_and_as_many_looks_as_it_scans(
    town: psycopg.Connection[Any], *, newer: bool, bounded: bool
) -> None:
    statement = tag_statement(newer=newer, bounded=bounded)

    assert_bounded(town, statement, table="post_tags", index="pk_post_tags", bounded=bounded)


def test_who_has_blocked_hundreds_does_not_pay_for_each_of_them_at_each_post(
    town: psycopg.Connection[Any],
) -> None:
    with town.transaction(force_rollback=True):
        town.execute("UPDATE posts SET like_count = 3")
        town.execute(
            "INSERT INTO relations (from_user, relation_type, to_user, created_at)"
            " SELECT %s, 'b', user_id, now() FROM profiles WHERE username > 'p00100'",
            (VIEWER,),
        )

        plan = generic_plan(town, Statement(explore_statement(newer=False, bounded=False)), VALUES)

    for table in ("likes", "comments"):
        looks = sum(node["Actual Loops"] for node in plan if node.get("Relation Name") == table)
        assert looks <= 3 * 21, table
    assert rows_read(plan, "likes") <= 4 * 21

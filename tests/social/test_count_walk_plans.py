"""The generic plans of the walk through stored counts: each batch is a range, and its looks go by its ids."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import psycopg
import pytest

from factories.databases import DatabaseUrls
from factories.plans import generic_plan, on_new_ground, read_through, rows_read, settle
from igloo_local.parts.postgres import Postgres
from igloo_social.operations.drift import FIRST, GROUNDS, Ground

# Each of a town's people has posts, follows, likes, comments and news.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, merged_at_read, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', n % 100 = 0, now(), now()
FROM generate_series(1, 1000) AS n;

INSERT INTO posts (id, author_id, caption, visibility, state, tags, created_at, published_at, rank_at)
SELECT overlay('00000000-0000-7000-9000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       author.user_id, '#snow', 'public', 'published', ARRAY['snow'], at, at, at
FROM generate_series(1, 4000) AS n
JOIN profiles author ON author.username = 'p' || lpad((n % 1000 + 1)::text, 5, '0'),
LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS at);

INSERT INTO post_tags (tag, published_at, post_id) SELECT 'snow', published_at, id FROM posts;
INSERT INTO relations (from_user, relation_type, to_user, created_at, is_merged)
SELECT fan.user_id, 'f', other.user_id, now(), other.merged_at_read
FROM profiles fan JOIN profiles other ON fan.user_id <> other.user_id
WHERE (right(fan.username, 2)::int + right(other.username, 3)::int) % 50 = 0;
INSERT INTO likes (post_id, user_id, created_at)
SELECT id, user_id, now() FROM posts JOIN profiles ON username < 'p00006';
INSERT INTO comments (id, post_id, author_id, text, mention_count, created_at)
SELECT gen_random_uuid(), id, user_id, 'Snow', 1, now() FROM posts JOIN profiles ON username < 'p00003';
INSERT INTO comment_mentions (comment_id, user_id, username) SELECT id, author_id, 'snow' FROM comments;
INSERT INTO post_mentions (post_id, user_id, username) SELECT id, author_id, 'snow' FROM posts;
INSERT INTO notification_groups (id, recipient_id, kind, latest_at, actor_count)
SELECT id, author_id, 'like', now(), 1 FROM posts;
INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, post_id, group_id, created_at)
SELECT gen_random_uuid(), author_id, 'like', user_id, id, id, id, now()
FROM posts JOIN likes ON post_id = id;
"""
_BATCH = 20
_MOST_EDGES = 21


@pytest.fixture
def town(
    postgres_server: Postgres, database_urls: Mapping[str, DatabaseUrls]
) -> Iterator[psycopg.Connection[Any]]:
    assert database_urls["social"]
    with postgres_server.connect(database="igloo") as connection:
        on_new_ground(connection)
        connection.execute(_TOWN.encode())
        settle(
            connection,
            "profiles",
            "posts",
            "relations",
            "likes",
            "comments",
            "post_tags",
            "comment_mentions",
            "post_mentions",
            "notifications",
            "notification_groups",
        )
        yield connection


def batch(town: psycopg.Connection[Any], ground: Ground, after: UUID) -> list[UUID]:
    rows = town.execute(
        f"SELECT {ground.key} FROM {ground.table} WHERE {ground.key} > %s ORDER BY 1 LIMIT {_BATCH}".encode(),  # noqa: S608
        [after],
    )
    return [row[0] for row in rows.fetchall()]


def test_a_batch_is_a_range_of_the_key_and_its_looks_read_no_table_through(
    town: psycopg.Connection[Any],
) -> None:
    for ground in GROUNDS:
        after = batch(town, ground, FIRST)[-1]
        place = generic_plan(town, ground.next_statement(), {"after": after, "limit": _BATCH})
        (scan,) = [node for node in place if "Relation Name" in node]
        assert (scan["Index Name"], scan["Actual Rows"]) == (f"pk_{ground.table}", _BATCH)
        assert scan["Index Cond"].startswith(f"({ground.key} > ")

        ids = batch(town, ground, after)
        for kind in ground.wrong:
            plan = generic_plan(town, ground.look_statement(kind), {"ids": ids})
            assert read_through(plan) == [], kind
            assert all(node["Index Cond"] for node in plan if "Index Name" in node), kind
            # What is counted of these rows, and not of all: nobody here follows, or is followed by, more.
            for table in {node["Relation Name"] for node in plan if "Relation Name" in node}:
                assert rows_read(plan, table) <= _BATCH * _MOST_EDGES, (kind, table)

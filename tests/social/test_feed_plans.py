"""The generic plans that prepared statements of the hottest reads may switch to: they must be good ones."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from factories.plans import generic_plan, read_through, rows_read, settle
from igloo_social.queries.feed_changes import CHANGES, POSTS_IN_FEED
from igloo_social.queries.posts import posts_of_statement
from igloo_social.queries.timeline import LONGEST_SCAN, feed_statement

VIEWER = UUID("00000000-0000-7000-8000-000000000001")
FAN = UUID("00000000-0000-7000-8000-000000000003")
"""Somebody who follows many popular people, whose posts are merged into the feed."""
POSTS = 4_000
MERGED = 60

# The viewer is a busy one, for whom reading all of anything is slow: follows half, has liked everything.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', now(), now()
FROM generate_series(1, 400) AS n;

INSERT INTO posts (id, author_id, caption, visibility, state, created_at, published_at)
SELECT overlay('00000000-0000-7000-9000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       author.user_id, 'Snow', CASE WHEN n % 3 = 0 THEN 'followers' ELSE 'public' END, 'published', at, at
FROM generate_series(1, {posts}) AS n
JOIN profiles author ON author.username = 'p' || lpad((n % 400 + 1)::text, 5, '0'),
LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS at);

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT me.user_id, 'f', other.user_id, now()
FROM profiles me JOIN profiles other ON me.user_id <> other.user_id
WHERE me.username IN ('p00001', 'p00002', 'p00003') OR other.username IN ('p00001', 'p00009');

UPDATE profiles SET merged_at_read = true WHERE username >= 'p00300' AND username < 'p00360';

UPDATE relations SET is_merged = true FROM profiles me, profiles other
WHERE from_user = me.user_id AND to_user = other.user_id AND relation_type = 'f'
    AND me.username = 'p00003' AND other.merged_at_read;

INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
SELECT owner.user_id, published_at, post.id, 'p'
FROM posts post JOIN profiles owner ON owner.username < 'p00009';

INSERT INTO post_changes (author_id, changed_at, post_id)
SELECT author_id, published_at + interval '1 hour', id FROM posts;

INSERT INTO timeline (owner_id, published_at, post_id, author_id)
SELECT owner.user_id, post.published_at, post.id, post.author_id
FROM posts post JOIN profiles owner ON owner.username < 'p00009';

INSERT INTO likes (post_id, user_id, created_at)
SELECT post.id, fan.user_id, now() FROM posts post JOIN profiles fan ON fan.username < 'p00004';
"""


@pytest.fixture(scope="module")
def town(new_ground: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    new_ground.execute(SQL(_TOWN).format(posts=Literal(POSTS)))
    settle(new_ground, "profiles", "posts", "relations", "timeline", "likes", "feed_changes", "post_changes")
    return new_ground


PLACE = {"at": "2026-01-02 12:00:00+00", "id": UUID("00000000-0000-7000-9000-000000002160")}


@pytest.mark.parametrize(("newer", "bounded"), [(False, False), (False, True), (True, True)])
def test_a_page_of_the_feed_is_one_range_and_as_many_looks_as_it_has_posts(
    town: psycopg.Connection[Any], *, newer: bool, bounded: bool
) -> None:
    values = {"viewer_id": VIEWER, "limit": 21, **PLACE}

    plan = generic_plan(town, feed_statement(newer=newer, bounded=bounded), values)

    assert read_through(plan) == []
    (scan,) = [node for node in plan if node.get("Relation Name") == "timeline"]
    assert scan["Node Type"] == "Index Only Scan"
    assert scan["Index Name"] == "pk_timeline"
    assert scan["Actual Rows"] == 21
    assert ("ROW(published_at, post_id)" in scan["Index Cond"]) == bounded
    # Were the planner to expect a tenth of the feed, it would join by reading all posts once there are many.
    assert max(node["Plan Rows"] for node in plan if node["Node Type"] == "Limit") <= LONGEST_SCAN
    for table in ("posts", "profiles", "likes", "relations"):
        assert rows_read(plan, table) <= 21


@pytest.mark.parametrize(("newer", "bounded"), [(False, False), (False, True), (True, True)])
def test_a_page_that_popular_followees_are_merged_into_is_bounded_by_their_number_and_the_page(
    town: psycopg.Connection[Any], *, newer: bool, bounded: bool
) -> None:
    page = 6
    values = {"viewer_id": FAN, "limit": page, **PLACE}

    plan = generic_plan(town, feed_statement(newer=newer, bounded=bounded), values)

    assert read_through(plan) == []
    looks = [node for node in plan if node.get("Index Name") == "ix_posts_author_id_published"]
    assert len(looks) == 2
    assert sum(node["Actual Loops"] for node in looks) <= MERGED + page
    (followees,) = [node for node in plan if node.get("Index Name") == "ix_relations_merged"]
    assert followees["Actual Rows"] == MERGED
    (written,) = [node for node in plan if node.get("Relation Name") == "timeline"]
    assert written["Actual Rows"] == page
    # One of each followee, a page of each who may be on the page, and the page itself.
    assert rows_read(plan, "posts") <= MERGED + page * page + page
    assert rows_read(plan, "profiles") <= page


@pytest.mark.parametrize("viewer", [VIEWER, FAN])
def test_a_page_of_changes_is_a_range_of_each_source(town: psycopg.Connection[Any], viewer: UUID) -> None:
    page = 6
    values = {
        "viewer_id": viewer,
        "limit": page,
        **PLACE,
        "until": "2026-01-04 00:00:00+00",
        "given_at": PLACE["at"],
    }

    plan = generic_plan(town, CHANGES, values)

    assert read_through(plan) == []
    merged = MERGED if viewer == FAN else 0
    for table, most in (("timeline", page), ("feed_changes", page)):
        assert rows_read(plan, table) == most
    for table in ("posts", "post_changes"):
        assert rows_read(plan, table) <= merged + page * page
        assert bool(rows_read(plan, table)) == bool(merged)


@pytest.mark.parametrize("viewer", [VIEWER, FAN])
def test_what_holds_of_changed_posts_is_a_few_looks_each(town: psycopg.Connection[Any], viewer: UUID) -> None:
    posts = [UUID(f"00000000-0000-7000-9000-{number:012}") for number in range(100, 140)]

    plan = generic_plan(town, POSTS_IN_FEED, {"viewer_id": viewer, "ids": posts})

    assert read_through(plan) == []
    for table in ("posts", "profiles", "timeline", "likes", "bookmarks"):
        assert rows_read(plan, table) <= len(posts)
    assert rows_read(plan, "relations") <= 4 * len(posts)


@pytest.mark.parametrize(("newer", "bounded"), [(False, False), (False, True), (True, True)])
def test_a_page_of_a_persons_posts_reads_no_more_than_the_page(
    town: psycopg.Connection[Any], *, newer: bool, bounded: bool
) -> None:
    author = UUID("00000000-0000-7000-8000-000000000009")
    values = {"viewer_id": VIEWER, "author_id": author, "limit": 3, **PLACE}

    plan = generic_plan(town, posts_of_statement(newer=newer, bounded=bounded), values)

    assert read_through(plan) == []
    assert rows_read(plan, "posts") <= 3
    assert rows_read(plan, "likes") <= 3

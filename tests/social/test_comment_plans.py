"""A post with 100,000 comments pages in the cost of a page, whatever plan prepared statements switch to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from factories.plans import generic_plan, on_new_ground, read_through, rows_read, settle
from igloo_common.statements import Statement
from igloo_social.operations import blocks, comments
from igloo_social.operations import likes as like_operations
from igloo_social.queries import comments as comment_queries
from igloo_social.queries import likes as like_queries
from igloo_social.queries import posts as post_queries
from igloo_social.queries import shown_posts
from igloo_social.queries.bookmarks import bookmarks_statement
from igloo_social.queries.comments import comments_statement
from igloo_social.queries.likes import likers_statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from factories.databases import DatabaseUrls
    from igloo_local.parts.postgres import Postgres

COMMENTS = 100_000
PEOPLE = 3_000
POST = UUID("00000000-0000-7000-9000-000000000001")
VIEWER = UUID("00000000-0000-7000-8000-000000000001")
OTHER = UUID("00000000-0000-7000-8000-000000000002")
COMMENT = UUID("00000000-0000-7000-a000-000000000777")

# Everybody comments on one post over and over and likes it; the viewer has been everywhere and keeps it all.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', now(), now()
FROM generate_series(1, {people}) AS n;

INSERT INTO posts (id, author_id, caption, visibility, state, created_at, published_at, comment_count,
    like_count)
SELECT ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid,
       ('00000000-0000-7000-8000-' || lpad((n % 300 + 1)::text, 12, '0'))::uuid,
       'Snow', 'public', 'published', at, at, {comments}, CASE n WHEN 1 THEN {people} ELSE 1 END
FROM generate_series(1, 3000) AS n, LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS at);

INSERT INTO comments (id, post_id, author_id, text, mention_count, created_at)
SELECT ('00000000-0000-7000-a000-' || lpad(n::text, 12, '0'))::uuid,
       '00000000-0000-7000-9000-000000000001',
       ('00000000-0000-7000-8000-' || lpad((n % {people} + 1)::text, 12, '0'))::uuid,
       'Cold', CASE WHEN n % 20 = 0 THEN 1 ELSE 0 END, timestamptz '2026-01-01' + n * interval '1 second'
FROM generate_series(1, {comments}) AS n;

INSERT INTO comment_mentions (comment_id, user_id, username)
SELECT id, '00000000-0000-7000-8000-000000000002', 'p00002' FROM comments WHERE mention_count > 0;

INSERT INTO likes (post_id, user_id, created_at)
SELECT '00000000-0000-7000-9000-000000000001', user_id, now() FROM profiles
UNION SELECT id, '00000000-0000-7000-8000-000000000001', now() FROM posts;

INSERT INTO bookmarks (user_id, post_id, created_at)
SELECT '00000000-0000-7000-8000-000000000001', id, created_at FROM posts;

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT fan.user_id, 'f', other.user_id, now() FROM profiles fan JOIN profiles other
ON other.username BETWEEN 'p00001' AND 'p00004' AND fan.user_id <> other.user_id;
INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT '00000000-0000-7000-8000-000000000001', 'b', user_id, now() FROM profiles
WHERE username BETWEEN 'p00100' AND 'p00104';
"""
VALUES: Mapping[str, object] = {
    "viewer_id": VIEWER,
    "post_id": POST,
    "comment_id": COMMENT,
    "limit": 21,
    "at": "2026-01-01 12:00:00+00",
    "id": COMMENT,
    "a": VIEWER,
    "b": OTHER,
    "people": [VIEWER, OTHER],
    "user_id": VIEWER,
    "now": "2026-11-23 12:00:00+00",
}


@pytest.fixture
def town(
    postgres_server: Postgres, database_urls: Mapping[str, DatabaseUrls]
) -> Iterator[psycopg.Connection[Any]]:
    assert database_urls["social"]
    with postgres_server.connect(database="igloo") as connection:
        on_new_ground(connection)
        connection.execute(SQL(_TOWN).format(people=Literal(PEOPLE), comments=Literal(COMMENTS)))
        settle(
            connection, "profiles", "posts", "comments", "comment_mentions", "likes", "bookmarks", "relations"
        )
        yield connection


def test_pages_and_looks_read_no_more_than_they_show(town: psycopg.Connection[Any]) -> None:
    for newer, bounded in ((False, False), (False, True), (True, True)):
        pages = {
            "comments": comments_statement(newer=newer, bounded=bounded),
            "likes": likers_statement(newer=newer, bounded=bounded),
            "bookmarks": bookmarks_statement(newer=newer, bounded=bounded),
        }
        for table, page in pages.items():
            plan = generic_plan(town, Statement(page), VALUES)

            assert read_through(plan) == [], table
            for read in ("comments", "comment_mentions", "likes", "bookmarks", "posts", "profiles"):
                # Those whom the viewer hides commented on one of the posts of a page, 34 times each.
                beside = 200 if table == "bookmarks" and read == "comments" else 0
                assert rows_read(plan, read) <= 43 + beside, (table, read, newer, bounded)

    looks = (
        comment_queries._KNOWN,
        comment_queries._VISIBLE,
        comment_queries._WRITTEN,
        comment_queries._POST_AUTHOR,
        shown_posts._LOCK,
        shown_posts._HOLD,
        like_queries._COUNT,
        like_operations._REMOVE,
        comments._DELETE,
    )
    for look in looks:
        plan = generic_plan(town, look, VALUES)

        assert read_through(plan) == [], look.text
        assert sum(rows_read(plan, table) for table in ("comments", "likes", "posts")) <= 20, look.text

    # One post, with its counts less those hidden: what hidden people said there, and not all that was said.
    plan = generic_plan(town, post_queries._ONE, VALUES)

    assert read_through(plan) == []
    assert rows_read(plan, "comments") <= 200
    assert rows_read(plan, "likes") <= 10

    # A block reads what the one did at all, or what was done to the other's posts, and no more.
    for effect in (blocks._LOCK_POSTS_BETWEEN, like_operations._REMOVE_BETWEEN, comments._DELETE_BETWEEN):
        plan = generic_plan(town, effect, VALUES)

        assert read_through(plan) == [], effect.text
        assert rows_read(plan, "comments") <= 300, effect.text

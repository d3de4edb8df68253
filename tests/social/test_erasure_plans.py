"""Erasing an author of many followers looks up what is theirs, and never reads a table through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Literal
from sqlalchemy import text

from igloo_common.statements import Statement
from igloo_social.operations import (
    erased_comments,
    erased_devices,
    erased_mentions,
    erased_posts,
    erased_relations,
    erased_reports,
    erased_traces,
    notification_batches,
)
from igloo_social.operations.erased_relations import PEOPLE_AT_ONCE
from igloo_social.queries import shown_posts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session


POSTS_OF_AUTHOR = 10
AUTHOR = UUID("00000000-0000-7000-8000-000000000001")
OTHERS = [UUID(f"00000000-0000-7000-8000-{number:012}") for number in range(2, 2 + PEOPLE_AT_ONCE)]

# Of comments and of posts, for both have mentions of the author.
TEXT_IDS = [
    UUID(f"00000000-0000-7000-{kind}-{number:012}") for kind in ("9000", "b000") for number in range(1, 40)
]

# Everybody follows the author, whose posts are a small part of everybody's feed.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', now(), now()
FROM generate_series(1, 1500) AS n;

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT other.user_id, 'f', author.user_id, now() FROM profiles author
JOIN profiles other ON other.user_id <> author.user_id AND author.username IN ('p00001', 'p00002', 'p00003');
INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT author.user_id, 'f', other.user_id, now() FROM profiles author
JOIN profiles other ON other.user_id <> author.user_id AND author.username IN ('p00001', 'p00004')
AND other.username > 'p00004';

INSERT INTO posts (id, author_id, caption, visibility, state, created_at, published_at, deleted_at)
SELECT overlay('00000000-0000-7000-9000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       author.user_id, 'Snow', 'public', 'published', at, at, CASE WHEN n % 7 = 0 THEN at END
FROM generate_series(1, 3000) AS n
JOIN profiles author ON author.username = 'p' || lpad((n % 300 + 1)::text, 5, '0'),
LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS at);

INSERT INTO timeline (owner_id, published_at, post_id, author_id)
SELECT owner.user_id, post.published_at, post.id, post.author_id
FROM posts post JOIN profiles owner ON owner.username < 'p00020' AND post.deleted_at IS NULL;

INSERT INTO likes (post_id, user_id, created_at)
SELECT post.id, fan.user_id, now() FROM posts post, generate_series(1, 5) AS n, LATERAL (
    SELECT user_id FROM profiles
    WHERE username = 'p' || lpad(((right(post.id::text, 12)::int * 7 + n * 37) % 1500 + 1)::text, 5, '0')
) AS fan
UNION SELECT id, '00000000-0000-7000-8000-000000000001', now() FROM posts
WHERE right(id::text, 2) IN ('00', '51');

INSERT INTO media_items (media_id, owner_id, post_id, state, width, height, renditions, updated_at)
SELECT gen_random_uuid(), author_id, id, 'ready', 1, 1, '[]', now() FROM posts;
INSERT INTO post_images (post_id, position, media_id) SELECT post_id, 0, media_id FROM media_items;

INSERT INTO notification_groups (id, recipient_id, kind, latest_at, actor_count)
SELECT id, author_id, 'like', now(), 6 FROM posts;
INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, post_id, group_id, created_at)
SELECT overlay('00000000-0000-7000-a000-000000000000'
           placing lpad((row_number() OVER ())::text, 12, '0') from 25)::uuid,
       author_id, 'like', user_id, post_id, post_id, post_id, now()
FROM likes JOIN posts ON id = post_id WHERE author_id <> user_id;
INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, created_at)
SELECT gen_random_uuid(), author_id, 'like', '00000000-0000-7000-8000-000000000002', id, now() FROM posts
WHERE right(id::text, 2) = '17';

INSERT INTO comments (id, post_id, author_id, text, created_at)
SELECT overlay('00000000-0000-7000-b000-000000000000'
           placing lpad((row_number() OVER ())::text, 12, '0') from 25)::uuid,
       post_id, user_id, 'Cold', created_at
FROM likes;
INSERT INTO comment_mentions (comment_id, user_id, username)
SELECT comments.id, user_id, username FROM comments JOIN profiles
ON username = 'p' || lpad((right(comments.id::text, 12)::int / 40 % 1500 + 1)::text, 5, '0');
INSERT INTO post_mentions (post_id, user_id, username)
SELECT posts.id, user_id, username FROM posts JOIN profiles
ON username = 'p' || lpad((right(posts.id::text, 12)::int / 40 + 1)::text, 5, '0');
INSERT INTO post_tags (tag, published_at, post_id) SELECT 'snow', published_at, id FROM posts;
INSERT INTO post_revisions (post_id, number, caption, visibility, written_at, replaced_at)
SELECT id, 1, 'Snwo', 'public', now(), now() FROM posts;
INSERT INTO post_changes (author_id, changed_at, post_id) SELECT author_id, published_at, id FROM posts;

INSERT INTO bookmarks (user_id, post_id, created_at) SELECT user_id, post_id, created_at FROM likes;
INSERT INTO suspended_likes (user_id, post_id, created_at) SELECT user_id, post_id, created_at FROM likes;
INSERT INTO suspended_relations (from_user, to_user, relation_type, created_at)
SELECT from_user, to_user, 'f', created_at FROM relations;
INSERT INTO dismissed_suggestions (user_id, dismissed_id, dismissed_at)
SELECT from_user, to_user, created_at FROM relations;
INSERT INTO facebook_friends (user_id, friend_id, found_at)
SELECT from_user, to_user, created_at FROM relations;
INSERT INTO feed_changes (owner_id, changed_at, subject_id, kind)
SELECT from_user, created_at, to_user, 'a' FROM relations;

INSERT INTO devices (user_id, id, session_id, platform, token, registered_at)
SELECT user_id, user_id, user_id, 'fcm', username, now() FROM profiles;
INSERT INTO pushes (id, notification_id, user_id, device_id, due_at, created_at)
SELECT gen_random_uuid(), id, recipient_id, recipient_id, now(), now() FROM notifications;
INSERT INTO notification_read_markers (recipient_id, read_until) SELECT user_id, now() FROM profiles;
INSERT INTO notification_preferences (user_id, kind) SELECT user_id, 'like' FROM profiles;
INSERT INTO idempotency_keys
SELECT user_id::text, 'POST /v1/posts', 'key', '', 201, '[]', '{}', now() FROM profiles;
INSERT INTO reports (id, reporter_id, target_kind, target_id, owner_id, reason, snapshot, created_at)
SELECT gen_random_uuid(), user_id, 'post', post_id, author_id, 'spam', '{}', now()
FROM likes JOIN posts ON id = post_id;
"""

PARAMETERS: Mapping[str, tuple[str, object]] = {
    "account_id": ("uuid", AUTHOR),
    "person_id": ("uuid", AUTHOR),
    "others": ("uuid[]", OTHERS),
    "post_ids": ("uuid[]", [UUID(f"00000000-0000-7000-9000-{300 * number:012}") for number in range(1, 11)]),
    "ids": ("uuid[]", [UUID(f"00000000-0000-7000-a000-{number:012}") for number in range(1, 101)]),
    "text_ids": ("uuid[]", TEXT_IDS),
    "comment_ids": ("uuid[]", TEXT_IDS),
    "subject": ("text", str(AUTHOR)),
    "oldest_kept": ("uuid", UUID("00000000-0000-7000-a000-000000000300")),
    "limit": ("bigint", 100),
}

MODULES = (
    erased_comments,
    erased_devices,
    erased_mentions,
    erased_posts,
    erased_relations,
    erased_reports,
    erased_traces,
    notification_batches,
)
STATEMENTS: Mapping[str, Statement] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Statement)
} | {
    "shown_posts.LOCK_ALL": shown_posts.LOCK_ALL,
    "notification_batches.BY_IDS.lock": notification_batches.BY_IDS.lock,
    "notification_batches.BY_IDS.remove": notification_batches.BY_IDS.remove,
}

_UNINDEXED_FOREIGN_KEYS = """
SELECT conname FROM pg_constraint c WHERE contype = 'f' AND confrelid = 'posts'::regclass AND NOT EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]
    AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ 'IS NOT NULL')
)
"""


@pytest.fixture(scope="module")
def town(new_ground: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    new_ground.execute(_TOWN)
    new_ground.execute("REINDEX SCHEMA social")
    new_ground.execute("VACUUM ANALYZE")
    return new_ground


def generic_plan(connection: psycopg.Connection[Any], statement: Statement) -> list[dict[str, Any]]:
    """Run the generic plan that a prepared statement may switch to, and list its nodes."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement.text)))
    numbered = statement.text
    for place, name in enumerate(names, 1):
        numbered = numbered.replace(f"%({name})s", f"${place}")
    types = ", ".join(PARAMETERS[name][0] for name in names)
    given = SQL(", ").join(Literal(PARAMETERS[name][1]) for name in names)
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        # Each by itself: what refers to a post is there still. That it has an index is tested below.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(f"PREPARE batch ({types}) AS {numbered}".encode())
        explain = SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE batch ({})").format(given)
        answer = connection.execute(explain).fetchall()[0][0]
        connection.execute("DEALLOCATE batch")
    return list(nodes(answer[0]["Plan"]))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def test_no_batch_reads_a_table_through(town: psycopg.Connection[Any]) -> None:
    plans = {name: generic_plan(town, statement) for name, statement in STATEMENTS.items()}

    through = {
        name: [node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"]
        for name, plan in plans.items()
    }
    assert {name: tables for name, tables in through.items() if tables} == {}
    # Every batch has found something: a plan for nothing would say nothing.
    assert [name for name, plan in plans.items() if not any(node["Actual Rows"] for node in plan)] == []


def test_followers_feeds_are_cleaned_by_looking_up_the_authors_posts_alone(
    town: psycopg.Connection[Any],
) -> None:
    plan = generic_plan(town, erased_relations.CLEAN_FEEDS)

    (scan,) = [node for node in plan if "Index Name" in node and node.get("Relation Name") == "timeline"]
    assert scan["Index Name"] == "pk_timeline"
    assert scan["Actual Loops"] <= len(OTHERS) * POSTS_OF_AUTHOR
    assert scan.get("Rows Removed by Filter", 0) == 0


def test_removing_a_post_asks_an_index_for_whatever_may_refer_to_it(session: Session) -> None:
    assert session.scalars(text(_UNINDEXED_FOREIGN_KEYS)).all() == []

"""The queue, the trail and the lane of suspensions look up what is theirs, and never read a table through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from factories.plans import on_new_ground, settle
from igloo_common.statements import Statement
from igloo_social.models.reports import ReportTarget
from igloo_social.operations import decisions, erased_reports, suspended_relations, suspended_traces
from igloo_social.queries import moderation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from factories.databases import DatabaseUrls
    from igloo_local.parts.postgres import Postgres

PERSON = UUID("00000000-0000-7000-8000-000000000001")
OTHERS = [UUID(f"00000000-0000-7000-8000-{number:012}") for number in range(2, 202)]
POSTS = [UUID(f"00000000-0000-7000-9000-{number:012}") for number in range(10, 3000, 300)]

# Everybody follows the person, likes and comments as others do, and reports pile up for years.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', now(), now()
FROM generate_series(1, 1500) AS n;

INSERT INTO {relations} (from_user, relation_type, to_user, created_at)
SELECT other.user_id, 'f', author.user_id, now() FROM profiles author
JOIN profiles other ON other.user_id <> author.user_id AND author.username IN ('p00001', 'p00002', 'p00003')
UNION
SELECT author.user_id, 'f', other.user_id, now() FROM profiles author
JOIN profiles other ON other.user_id <> author.user_id AND author.username IN ('p00001', 'p00004');

INSERT INTO posts (id, author_id, caption, visibility, state, created_at, published_at)
SELECT overlay('00000000-0000-7000-9000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       author.user_id, 'Snow', 'public', 'published', now(), now()
FROM generate_series(1, 3000) AS n
JOIN profiles author ON author.username = 'p' || lpad((n % 300 + 1)::text, 5, '0');

INSERT INTO {likes} (post_id, user_id, created_at)
SELECT DISTINCT post.id, fan.user_id, now() FROM posts post, generate_series(1, 5) AS n
JOIN LATERAL (SELECT n AS number) AS same ON true, profiles AS fan
WHERE fan.username = 'p' || lpad(((right(post.id::text, 12)::int * 7 + n * 37) % 1500 + 1)::text, 5, '0');

INSERT INTO comments (id, post_id, author_id, text, created_at, hidden_by)
SELECT gen_random_uuid(), post_id, user_id, 'Snow', created_at, CASE WHEN random() < 0.3 THEN 'suspension' END
FROM {likes};

INSERT INTO reports (id, reporter_id, target_kind, target_id, owner_id, reason, snapshot, created_at,
    resolution, resolved_at)
SELECT gen_random_uuid(), reporter.user_id, 'post', post.id, post.author_id, 'spam', '{{}}',
    now() - n * interval '1 hour', CASE WHEN n > 60 THEN 'dismiss' END, CASE WHEN n > 60 THEN now() END
FROM generate_series(1, 4000) AS n
JOIN profiles reporter ON reporter.username = 'p' || lpad((n % 1499 + 2)::text, 5, '0')
JOIN posts post ON right(post.id::text, 12)::int = n % 3000 + 1;

INSERT INTO moderation_actions
    (id, moderator_id, action, report_id, target_kind, target_id, owner_id, acted_at)
SELECT gen_random_uuid(), owner_id, CASE WHEN random() < 0.1 THEN 'dismiss' ELSE 'view' END, id, target_kind,
    target_id, owner_id, created_at
FROM reports;
"""

PARAMETERS: Mapping[str, tuple[str, object]] = {
    "account_id": ("uuid", PERSON),
    "viewer_id": ("uuid", PERSON),
    "owner_id": ("uuid", OTHERS[0]),
    "target_id": ("uuid", POSTS[0]),
    "target_kind": ("text", "post"),
    "resolution": ("text", "suspend_account"),
    "report_id": ("uuid", PERSON),
    "others": ("uuid[]", OTHERS),
    "user_ids": ("uuid[]", OTHERS),
    "post_ids": ("uuid[]", POSTS),
    "limit": ("bigint", 21),
    "at": ("timestamptz", "2026-01-02T03:04:05Z"),
    "id": ("uuid", PERSON),
}


def page(**options: bool) -> Statement:
    return Statement(moderation._actions(newer=False, bounded=True, **options))


STATEMENTS: Mapping[str, Statement] = {
    "queue": Statement(moderation._reports(is_open=True, newer=True, bounded=False)),
    "queue on": Statement(moderation._reports(is_open=True, newer=True, bounded=True)),
    "resolved": Statement(moderation._reports(is_open=False, newer=False, bounded=True)),
    "one report": Statement(moderation._ONE),
    **{f"a {kind.value}": Statement(moderation._TARGETS[kind]) for kind in ReportTarget},
    "decisions": page(by_target=False, by_owner=False, with_views=False),
    "actions": page(by_target=False, by_owner=False, with_views=True),
    "actions about a thing": page(by_target=True, by_owner=False, with_views=False),
    "actions about a person": page(by_target=False, by_owner=True, with_views=True),
    "demanded of a thing": decisions._DEMANDED_OF_TARGET,
    "demanded of a person": decisions._DEMANDED_OF_OWNER,
    "people around": suspended_relations.PEOPLE_AROUND,
    "lock of people": suspended_relations._LOCK,
    "set apart": suspended_relations.SET_APART,
    "liked posts": suspended_traces.LIKED,
    "likes set apart": suspended_traces.SET_LIKES_APART,
    "commented posts": suspended_traces.COMMENTED,
    "comments": suspended_traces.HIDE_COMMENTS,
    "hidden comments": suspended_traces.HIDDEN_COMMENTS,
    "shown again": suspended_traces.SHOW_COMMENTS,
    "reports": erased_reports.REMOVE_REPORTS,
    "reporter": erased_reports.FORGET_REPORTER,
}
APART: Mapping[str, Statement] = {
    "people apart": suspended_relations.PEOPLE_APART,
    "taken back": suspended_relations.TAKE_BACK,
    "likes apart": suspended_traces.LIKES_APART,
    "liked again": suspended_traces.LIKE_AGAIN,
    "forgotten likes": suspended_traces.FORGET_LIKES,
    "erased outgoing": erased_reports.REMOVE_APART_OUT,
    "erased incoming": erased_reports.REMOVE_APART_IN,
    "erased likes": erased_reports.REMOVE_LIKES_APART,
}


@pytest.fixture
def connection(
    postgres_server: Postgres, database_urls: Mapping[str, DatabaseUrls]
) -> Iterator[psycopg.Connection[Any]]:
    assert database_urls["social"]
    with postgres_server.connect(database="igloo") as opened:
        on_new_ground(opened)
        yield opened


def build(connection: psycopg.Connection[Any], *, relations: str, likes: str) -> None:
    """Build the town; what is around people lies in these tables."""
    connection.execute(_TOWN.format(relations=relations, likes=likes).encode())
    settle(connection, "profiles", "posts", "comments", "reports", "moderation_actions", relations, likes)


def read_through(connection: psycopg.Connection[Any], statement: Statement) -> list[str]:
    """List the tables that a statement's generic plan reads from end to end."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement.text)))
    words = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement.text)
    types = ", ".join(PARAMETERS[name][0] for name in names)
    given = SQL(", ").join(Literal(PARAMETERS[name][1]) for name in names)
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        connection.execute(f"PREPARE asked ({types}) AS {words}".encode())
        explain = SQL("EXPLAIN (FORMAT JSON) EXECUTE asked ({})").format(given)
        plan = connection.execute(explain).fetchall()[0][0]
        connection.execute("DEALLOCATE asked")
    return [node["Relation Name"] for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"]


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def test_what_moderators_read_and_what_a_suspension_moves_is_looked_up(
    connection: psycopg.Connection[Any],
) -> None:
    build(connection, relations="relations", likes="likes")

    assert {name: read_through(connection, statement) for name, statement in STATEMENTS.items()} == {
        name: [] for name in STATEMENTS
    }


def test_what_is_put_back_is_looked_up(connection: psycopg.Connection[Any]) -> None:
    build(connection, relations="suspended_relations", likes="suspended_likes")

    assert {name: read_through(connection, statement) for name, statement in APART.items()} == {
        name: [] for name in APART
    }

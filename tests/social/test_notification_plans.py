"""What people are told is read, told and taken back along indexes, however many people a group has."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from factories.plans import generic_plan, read_through, rows_read, settle
from igloo_common.statements import Statement
from igloo_social.operations import notifications
from igloo_social.queries.notifications import ACTORS_SHOWN, UNREAD_STATEMENT, page_statement

VIEWER = UUID("00000000-0000-7000-8000-000000000001")
LIKER = UUID("00000000-0000-7000-8000-000000000150")
LIKED = UUID("00000000-0000-7000-9000-000000000010")
GROUP = UUID("00000000-0000-7000-a000-000000000010")
GROUPS_OF_VIEWER, PEOPLE_OF_GROUP, OTHER_GROUPS, HIDDEN = 60, 200, 3_000, 3

# The viewer is a popular one: many groups, of many people each; some people are on their way out.
_TOWN = f"""
CREATE FUNCTION pg_temp.numbered(family text, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
    SELECT ('00000000-0000-7000-' || family || '-' || lpad(n::text, 12, '0'))::uuid
$$;
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT pg_temp.numbered('8000', n), 'p' || lpad(n::text, 5, '0'), 'Somebody', now(), now()
FROM generate_series(1, 2000) AS n;

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT a.user_id, 'f', b.user_id, now() FROM profiles a JOIN profiles b ON a.user_id < b.user_id
WHERE b.username > 'p01998' OR a.username = 'p00001';

INSERT INTO account_tasks (id, kind, account_id, requested_at, due_at)
SELECT gen_random_uuid(), 'erasure', pg_temp.numbered('8000', n), now(), now()
FROM generate_series(101, 100 + {HIDDEN}) AS n;

INSERT INTO notification_groups (id, recipient_id, kind, latest_at, actor_count)
SELECT pg_temp.numbered('a000', n),
       pg_temp.numbered('8000', CASE WHEN n <= {GROUPS_OF_VIEWER} THEN 1 ELSE 2 + n % 1998 END), 'like',
       timestamptz '2026-01-01' + n * interval '1 minute',
       CASE WHEN n <= {GROUPS_OF_VIEWER} THEN {PEOPLE_OF_GROUP} ELSE 1 END
FROM generate_series(1, {GROUPS_OF_VIEWER + OTHER_GROUPS}) AS n;

INSERT INTO notifications (id, recipient_id, kind, actor_id, object_id, post_id, group_id, created_at)
SELECT gen_random_uuid(), g.recipient_id, 'like', pg_temp.numbered('8000', 100 + n),
       overlay(g.id::text placing '9' from 20)::uuid, overlay(g.id::text placing '9' from 20)::uuid, g.id,
       g.latest_at - (g.actor_count - n) * interval '1 second'
FROM notification_groups g, LATERAL generate_series(1, g.actor_count) AS n
WHERE pg_temp.numbered('8000', 100 + n) <> g.recipient_id;
"""  # noqa: S608 - numbers of our own


@pytest.fixture(scope="module")
def town(new_ground: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    new_ground.execute(_TOWN)
    settle(new_ground, "profiles", "relations", "notifications", "notification_groups")
    return new_ground


PLACE = {"at": "2026-01-01 00:40:00+00", "id": UUID(int=0)}


@pytest.mark.parametrize(("newer", "bounded"), [(False, False), (False, True), (True, True)])
def test_a_page_reads_the_newest_few_of_each_group_and_nothing_else(
    town: psycopg.Connection[Any], *, newer: bool, bounded: bool
) -> None:
    statement = Statement(page_statement(newer=newer, bounded=bounded))

    plan = generic_plan(town, statement, {"viewer_id": VIEWER, "limit": 21, **PLACE})

    assert read_through(plan) == []
    groups = 21
    assert rows_read(plan, "notification_groups") == groups
    assert rows_read(plan, "notifications") <= groups * (ACTORS_SHOWN + HIDDEN)
    # Once to see that they are here, and once for what they are called.
    assert rows_read(plan, "profiles") <= 2 * groups * ACTORS_SHOWN


def test_counting_the_unread_looks_at_one_fact_of_each(town: psycopg.Connection[Any]) -> None:
    plan = generic_plan(town, Statement(UNREAD_STATEMENT), {"viewer_id": VIEWER})

    assert read_through(plan) == []
    assert rows_read(plan, "notification_groups") == GROUPS_OF_VIEWER
    assert rows_read(plan, "notifications") <= GROUPS_OF_VIEWER * (1 + HIDDEN)


def test_telling_and_taking_back_look_at_that_fact_alone(town: psycopg.Connection[Any]) -> None:
    fact = {
        "id": UUID(int=7),
        "recipient_id": VIEWER,
        "kind": "like",
        "actor_id": LIKER,
        "object_id": LIKED,
        "post_id": LIKED,
        "group_id": GROUP,
        "now": "2026-01-01 12:00:00+00",
    }

    plans = {
        "tell": generic_plan(town, notifications.NOTIFY, {**fact, "actor_id": UUID(int=VIEWER.int + 1)}),
        "lock": generic_plan(town, notifications.FACTS[True, True].lock, fact),
        "take back": generic_plan(town, notifications.FACTS[True, True].remove, fact),
    }

    for plan in plans.values():
        assert [table for table in read_through(plan) if table not in _SMALL] == []
        assert rows_read(plan, "notifications") <= 5
        assert rows_read(plan, "notification_groups") <= 2
    # Each of them found what it is for.
    assert [name for name, plan in plans.items() if not any(node["Actual Rows"] for node in plan)] == []


_SMALL = frozenset({"notification_preferences", "devices"})
"""Empty here, and so read as they are; each has a primary key that leads there."""

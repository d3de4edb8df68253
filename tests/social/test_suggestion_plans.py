"""The generic plans of the reads that look at a person's followees: bounded, whoever these are."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Literal

from factories.plans import generic_plan, read_through, rows_read, settle
from igloo_social.queries.familiar_people import (
    COUNTED_UP_TO,
    familiar_count_statement,
    familiar_statement,
)
from igloo_social.queries.people import PeopleList
from igloo_social.queries.suggestions import NEWEST_FOLLOWEES, THEIR_NEWEST, suggestions_statement

PEOPLE = 2_000
POOL = NEWEST_FOLLOWEES * THEIR_NEWEST
VIEWER = UUID("00000000-0000-7000-8000-000000000001")
CELEBRITY = UUID("00000000-0000-7000-8000-000000000002")

# The viewer follows 1,200 people, of whom the newest follow 80 each, and everybody follows the celebrity.
_TOWN = """
INSERT INTO profiles (user_id, username, display_name, created_at, updated_at)
SELECT overlay('00000000-0000-7000-8000-000000000000' placing lpad(n::text, 12, '0') from 25)::uuid,
       'p' || lpad(n::text, 5, '0'), 'Somebody', now(), now()
FROM generate_series(1, {people}) AS n;

CREATE TEMPORARY TABLE numbered AS
SELECT user_id, row_number() OVER (ORDER BY user_id) AS n FROM profiles;

INSERT INTO relations (from_user, relation_type, to_user, created_at)
SELECT me.user_id, 'f', other.user_id, timestamptz '2026-01-01' + other.n * interval '1 minute'
FROM numbered me JOIN numbered other ON other.n BETWEEN 3 AND 1202 WHERE me.n = 1
UNION ALL
SELECT me.user_id, 'f', other.user_id, timestamptz '2026-01-01' + step * interval '1 minute'
FROM numbered me, generate_series(1, 80) AS step
JOIN LATERAL (SELECT user_id FROM numbered WHERE n = 1203 + (me.n * 37 + step * 29) % 780) other ON true
WHERE me.n BETWEEN 1052 AND 1202
UNION ALL
SELECT fan.user_id, 'f', star.user_id, timestamptz '2026-02-01' + fan.n * interval '1 minute'
FROM numbered fan JOIN numbered star ON star.n = 2 WHERE fan.n > 2
ON CONFLICT DO NOTHING;

INSERT INTO facebook_friends (user_id, friend_id, found_at)
SELECT me.user_id, friend.user_id, timestamptz '2026-01-01' + friend.n * interval '1 minute'
FROM numbered me JOIN numbered friend ON friend.n BETWEEN 1100 AND 1500 WHERE me.n IN (1, 2, 3);
"""


@pytest.fixture(scope="module")
def town(new_ground: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    new_ground.execute(SQL(_TOWN).format(people=Literal(PEOPLE)))
    settle(new_ground, "profiles", "relations", "facebook_friends")
    return new_ground


PAGES = [(False, False), (False, True), (True, True)]


def test_a_page_of_suggestions_looks_at_the_newest_follows_of_the_newest_followees(
    town: psycopg.Connection[Any],
) -> None:
    place = UUID("00000000-0000-7000-8000-000000001400")
    for at, (newer, bounded) in product(("2026-01-02 00:00:00+00", "1970-01-01 00:00:00.000003+00"), PAGES):
        values = {"viewer_id": VIEWER, "limit": 21, "at": at, "id": place}

        plan = generic_plan(town, suggestions_statement(newer=newer, bounded=bounded), values)

        assert read_through(plan) == []
        lists = [node for node in plan if node.get("Alias") in ("mine", "theirs")]
        assert {node["Node Type"] for node in lists} == {"Index Only Scan"}
        # The pool, and a look for each who may be suggested, and each of the friends passed over.
        assert rows_read(plan, "relations") <= POOL + NEWEST_FOLLOWEES + 1_000
        assert rows_read(plan, "facebook_friends") <= 1_000
        assert rows_read(plan, "profiles") <= NEWEST_FOLLOWEES + 1_000


def test_familiar_people_are_read_along_ones_own_followees(town: psycopg.Connection[Any]) -> None:
    place = UUID("00000000-0000-7000-8000-000000000720")
    values = {
        "viewer_id": VIEWER,
        "user_id": CELEBRITY,
        "limit": 21,
        "at": "2026-01-01 12:00:00+00",
        "id": place,
    }
    for people, (newer, bounded) in product((PeopleList.FOLLOWERS, PeopleList.FOLLOWEES), PAGES):
        plan = generic_plan(town, familiar_statement(people, newer=newer, bounded=bounded), values)

        assert read_through(plan) == []
        # The list of all followers would do as well, and be read whole for each look.
        assert {node["Index Name"] for node in plan if node.get("Alias") == "theirs"} == {"pk_relations"}
        # The celebrity follows nobody: then all of one's own followees are walked along.
        assert rows_read(plan, "relations") <= (2 * 21 if people is PeopleList.FOLLOWERS else 1_200)
        assert rows_read(plan, "profiles") <= 21

    plan = generic_plan(town, familiar_count_statement(PeopleList.FOLLOWERS), values)

    assert read_through(plan) == []
    (counted,) = [node for node in plan if node["Node Type"] == "Limit" and node["Actual Rows"] > 1]
    assert counted["Actual Rows"] == COUNTED_UP_TO
    assert rows_read(plan, "relations") <= 2 * COUNTED_UP_TO

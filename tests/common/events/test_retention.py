"""What is done with goes in time, from an inbox a day after it could come again; what waits stays."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from factories.event_rooms import rows
from igloo_common import retention
from igloo_common.retention import prune_tables

pytestmark = pytest.mark.usefixtures("subscriber_app")
INBOX = """
INSERT INTO social.inbox
    (event_id, type, aggregate_key, sequence, payload, received_at, next_attempt_at, status)
SELECT gen_random_uuid(), 't', status || age, 1, '', now() - age * interval '1 day', now(), status
FROM unnest(ARRAY['pending', 'applied', 'stale', 'dead', 'ignored']) AS status, unnest(ARRAY[14, 16]) AS age
"""
OUTBOX = """
INSERT INTO social.outbox (event_id, type, aggregate_key, sequence, payload, created_at, published_at)
SELECT gen_random_uuid(), 't', 'k' || age, 1, '', now() - age * interval '1 day',
    CASE WHEN sent THEN now() END
FROM unnest(ARRAY[15, 13]) AS age, unnest(ARRAY[true, false]) AS sent
"""
PARKED = """
INSERT INTO social.parked_messages (body, reason, received_at)
SELECT '', number::text, now() - CASE WHEN number = 6 THEN interval '15 days' ELSE interval '1 day' END
FROM generate_series(1, 6) AS number
"""


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks."""
    return f"filesystem://{tmp_path}"


def test_old_rows_go_unless_they_still_wait_for_something(
    observer: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_CHUNK", 2)
    observer.execute(INBOX)
    observer.execute(OUTBOX)

    prune_tables()

    kept = {key for (key,) in rows(observer, "SELECT aggregate_key FROM inbox", schema="social")}
    young = {f"{status}14" for status in ("pending", "applied", "stale", "dead", "ignored")}
    assert kept == young | {"pending16", "dead16"}
    query = "SELECT aggregate_key, published_at IS NULL FROM outbox ORDER BY 1, 2"
    assert rows(observer, query, schema="social") == [("k13", False), ("k13", True), ("k15", True)]


def test_parked_messages_are_bounded_in_age_and_number(
    observer: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_PARKED", 3)
    observer.execute(PARKED)

    prune_tables()

    assert rows(observer, "SELECT reason FROM parked_messages ORDER BY id", schema="social") == [
        ("4",),
        ("5",),
    ]


def test_the_numbers_given_to_aggregates_are_kept_for_good(observer: psycopg.Connection) -> None:
    observer.execute("INSERT INTO social.event_sequences VALUES ('k15', 1)")
    observer.execute(OUTBOX)

    prune_tables()

    assert rows(observer, "SELECT sequence FROM event_sequences", schema="social") == [(1,)]


def test_full_rate_limit_buckets_go_and_the_others_stay(observer: psycopg.Connection) -> None:
    observer.execute(
        "INSERT INTO social.rate_limits VALUES"
        " ('knocks', 'full', now() - interval '1 second'), ('knocks', 'filling', now() + interval '1 minute')"
    )

    prune_tables()

    assert rows(observer, "SELECT subject FROM rate_limits", schema="social") == [("filling",)]

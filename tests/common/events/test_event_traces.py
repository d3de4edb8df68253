"""What the event tables say of somebody who left goes; what is still to be sent or applied stays."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from factories.event_rooms import rows
from igloo_common.database import transaction
from igloo_common.event_traces import empty_applied, forget_published

pytestmark = pytest.mark.usefixtures("subscriber_app")
INBOX = """
INSERT INTO social.inbox
    (event_id, type, aggregate_key, sequence, payload, received_at, next_attempt_at, status)
SELECT gen_random_uuid(), 't', key || ':' || status, 1, 'a name', now(), now(), status
FROM unnest(ARRAY['hare', 'owl']) AS key,
    unnest(ARRAY['pending', 'applied', 'stale', 'dead', 'ignored']) AS status
"""
OUTBOX = """
INSERT INTO social.outbox (event_id, type, aggregate_key, sequence, payload, created_at, published_at)
SELECT gen_random_uuid(), 't', key, 1, 'a name', now(), CASE WHEN sent THEN now() END
FROM unnest(ARRAY[true, false]) AS sent, unnest(ARRAY['hare', 'owl']) AS key
"""


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks."""
    return f"filesystem://{tmp_path}"


def test_what_is_applied_is_emptied_once_and_what_waits_is_not(observer: psycopg.Connection) -> None:
    observer.execute(INBOX)
    keys = [f"hare:{status}" for status in ("pending", "applied", "stale", "dead", "ignored")]

    with transaction() as session:
        assert empty_applied(session, aggregate_keys=keys) == 2
        assert empty_applied(session, aggregate_keys=keys) == 0

    query = "SELECT aggregate_key FROM inbox WHERE payload = '{}' ORDER BY 1"
    assert rows(observer, query, schema="social") == [("hare:applied",), ("hare:stale",)]
    assert rows(observer, "SELECT count(*) FROM inbox", schema="social") == [(10,)]


def test_what_was_published_goes_and_what_waits_for_the_broker_stays(observer: psycopg.Connection) -> None:
    observer.execute(OUTBOX)
    observer.execute("INSERT INTO social.event_sequences VALUES ('hare', 1)")

    with transaction() as session:
        assert forget_published(session, aggregate_keys=["hare"]) == 1

    query = "SELECT aggregate_key, published_at IS NOT NULL FROM outbox ORDER BY 1, 2"
    assert rows(observer, query, schema="social") == [("hare", False), ("owl", False), ("owl", True)]
    assert rows(observer, "SELECT sequence FROM event_sequences", schema="social") == [(1,)]

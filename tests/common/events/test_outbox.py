"""Events are announced with their change, in the order of their aggregate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import orjson
import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from factories.event_rooms import DATABASE, rows
from factories.event_services import write_note
from igloo_common.clock import utc_now
from igloo_common.database import current_engine, transaction
from igloo_common.ids import new_id
from igloo_common.listening import own_connection
from igloo_common.messaging import broker_at
from igloo_common.relay import Relay
from igloo_common.tracing import continued_trace
from igloo_local.parts.postgres import Postgres

WRITERS = 8
EACH = 40


@pytest.fixture
def broker_url(tmp_path: Path) -> str:
    """Name a broker that nobody asks: emitting has no use for one."""
    return f"filesystem://{tmp_path}"


@pytest.fixture
def relay(publisher_app: Flask, broker_url: str) -> Iterator[Relay]:
    """Make a relay that leads, and publishes nothing here."""
    made = Relay(
        connection=own_connection(current_engine()),
        broker=broker_at(broker_url),
        service="auth",
        monotonic=monotonic,
        now=utc_now,
    )
    assert made.lead()
    yield made
    made.close()


def test_eight_racing_writers_number_each_aggregate_without_gap_in_the_order_of_commits(
    publisher_app: Flask, observer: psycopg.Connection
) -> None:
    notes = [new_id() for _ in range(3)]

    def write(_: int) -> None:
        with publisher_app.app_context():
            for turn in range(EACH):
                with transaction() as session:
                    write_note(session, notes[turn % len(notes)])

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))

    by_key: defaultdict[object, list[object]] = defaultdict(list)
    for key, sequence in rows(
        observer, "SELECT aggregate_key, sequence FROM outbox ORDER BY id", schema="auth"
    ):
        by_key[key].append(sequence)
    assert len(by_key) == len(notes)
    for sequences in by_key.values():
        assert sequences == list(range(1, len(sequences) + 1))
    assert sum(map(len, by_key.values())) == WRITERS * EACH


def test_an_event_rolls_back_with_its_transaction_and_leaves_no_gap(
    publisher_app: Flask, observer: psycopg.Connection
) -> None:
    note = new_id()

    def fail() -> None:
        with transaction() as session:
            write_note(session, note)
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError, match="the change failed"):
        fail()
    assert rows(observer, "SELECT 1 FROM outbox", schema="auth") == []

    with transaction() as session:
        write_note(session, note)
    assert rows(observer, "SELECT sequence FROM outbox", schema="auth") == [(1,)]


def test_a_transaction_notifies_its_own_service_once_and_only_when_it_commits(
    publisher_app: Flask, event_database: Postgres, relay: Relay
) -> None:
    assert relay.fall_asleep()
    with event_database.connect(database=DATABASE) as listening:
        listening.execute("LISTEN outbox_auth; LISTEN outbox_social")
        with transaction() as session:
            write_note(session, new_id())
            write_note(session, new_id())
            session.flush()
            assert list(listening.notifies(timeout=0.2)) == []
        heard = list(listening.notifies(timeout=5, stop_after=1)) + list(listening.notifies(timeout=0.2))
    assert [notification.channel for notification in heard] == ["outbox_auth"]


@pytest.mark.usefixtures("publisher_app")
def test_nobody_is_notified_while_the_relay_is_awake(event_database: Postgres, relay: Relay) -> None:
    assert relay.fall_asleep()
    relay.wake_up()
    with event_database.connect(database=DATABASE) as listening:
        listening.execute("LISTEN outbox_auth")
        with transaction() as session:
            write_note(session, new_id())
        assert list(listening.notifies(timeout=0.2)) == []


@pytest.mark.usefixtures("publisher_app")
def test_the_relay_falls_asleep_neither_beside_a_writer_nor_beside_an_unpublished_event(relay: Relay) -> None:
    with transaction() as session:
        write_note(session, new_id())
        session.execute(text("SELECT"))  # What was written goes to the server with what is read.
        assert not relay.fall_asleep()
    assert not relay.fall_asleep()


def test_an_event_carries_its_fields_and_the_trace_of_its_request(
    publisher_app: Flask, observer: psycopg.Connection
) -> None:
    note = new_id()
    with (
        continued_trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") as trace,
        transaction() as session,
    ):
        write_note(session, note, "Grüße")

    ((payload, traceparent),) = rows(observer, "SELECT payload, traceparent FROM outbox", schema="auth")
    assert isinstance(payload, bytes)
    data = orjson.loads(payload)
    assert (data["note_id"], data["text"]) == (str(note), "Grüße")
    assert data["written_at"].endswith("Z")
    assert traceparent == trace.traceparent

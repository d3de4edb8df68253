"""What is committed is published, in order, and marked only when a broker has kept it."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from factories.event_rooms import delete_queue, rows, running_app
from factories.event_services import NoteBurnt, NoteWritten, consumers, write_note
from factories.waiting import eventually
from igloo_common.clock import utc_now
from igloo_common.database import current_engine, transaction
from igloo_common.events import decode_envelope
from igloo_common.ids import new_id
from igloo_common.listening import own_connection
from igloo_common.messaging import Broker, broker_at
from igloo_common.messaging.rabbit_link import Link
from igloo_common.messaging.topology import EVENTS
from igloo_common.outbox import emit
from igloo_common.relay import Relay
from igloo_local.parts.postgres import Postgres

NOTES = 5
EACH = 100


def make_relay(broker: Broker) -> Relay:
    return Relay(
        connection=own_connection(current_engine()),
        broker=broker,
        service="auth",
        monotonic=monotonic,
        now=utc_now,
    )


@pytest.fixture
def relay(publisher_app: Flask, broker: Broker) -> Iterator[Relay]:
    """Make a relay that leads."""
    made = make_relay(broker)
    assert made.lead()
    yield made
    made.close()


def unpublished(observer: psycopg.Connection) -> list[str]:
    query = "SELECT type FROM outbox WHERE published_at IS NULL ORDER BY id"
    return [str(event_type) for (event_type,) in rows(observer, query, schema="auth")]


def received(broker: Broker, *, count: int) -> list[tuple[str, int]]:
    """Take so many messages from the subscriber's queue: keys and sequences, in the order of arrival."""
    subscriber = broker.subscriber(consumers.queue)
    taken: list[tuple[str, int]] = []

    def take() -> int:
        messages = subscriber.receive(timeout_seconds=0.5)
        taken.extend((e.key, e.sequence) for e in (decode_envelope(message.body) for message in messages))
        subscriber.acknowledge(messages)
        return len(taken)

    eventually(take, lambda seen: seen >= count, what=f"{count} messages")
    assert not subscriber.receive(timeout_seconds=0.2)
    subscriber.close()
    return taken


def burn(session: Session, note_id: UUID) -> None:
    emit(session, NoteBurnt(note_id=note_id), now=utc_now())


def test_a_backlog_arrives_whole_and_in_order_of_each_aggregate(
    relay: Relay, broker: Broker, observer: psycopg.Connection
) -> None:
    notes = [new_id() for _ in range(NOTES)]
    with transaction() as session:
        for _ in range(EACH):
            for note in notes:
                write_note(session, note)

    while relay.step():
        pass

    assert unpublished(observer) == []
    arrived = received(broker, count=NOTES * EACH)
    for note in notes:
        assert [sequence for key, sequence in arrived if key == f"note:{note}"] == list(range(1, EACH + 1))


def test_a_row_that_commits_after_rows_with_higher_ids_is_not_passed_by(
    relay: Relay, broker: Broker, observer: psycopg.Connection
) -> None:
    early, late = new_id(), new_id()
    with Session(current_engine()) as slow:
        write_note(slow, early)
        with transaction() as quick:
            write_note(quick, late)
        relay.step()
        assert unpublished(observer) == []
        slow.commit()

    relay.step()

    assert received(broker, count=2) == [(f"note:{late}", 1), (f"note:{early}", 1)]


def test_an_event_that_no_queue_wants_waits_with_its_aggregate_and_stops_no_other(
    relay: Relay, broker: Broker, observer: psycopg.Connection
) -> None:
    burnt, other = new_id(), new_id()
    with transaction() as session:
        write_note(session, burnt)
        burn(session, burnt)
        write_note(session, burnt)
        write_note(session, other)

    relay.step()
    relay.step()

    assert unpublished(observer) == [NoteBurnt.type, NoteWritten.type]
    assert sorted(received(broker, count=2)) == sorted([(f"note:{burnt}", 1), (f"note:{other}", 1)])

    broker.declare(consumers.queue, [NoteWritten.type, NoteBurnt.type])
    eventually(
        lambda: (relay.step(), unpublished(observer))[1], lambda seen: not seen, what="the held events"
    )
    assert received(broker, count=2) == [(f"note:{burnt}", 2), (f"note:{burnt}", 3)]


def test_of_two_relays_one_leads_and_the_other_takes_over(relay: Relay, broker: Broker) -> None:
    standby = make_relay(broker)
    assert not standby.lead()
    assert relay.lead()

    relay.close()

    eventually(standby.lead, what="the other relay leading")
    standby.close()


def test_a_relay_that_ends_wakes_the_one_that_takes_over(relay: Relay, broker: Broker) -> None:
    standby, listening = make_relay(broker), own_connection(current_engine())
    listening.execute("LISTEN outbox_auth")

    relay.close()

    assert [one.channel for one in listening.notifies(timeout=20, stop_after=1)] == ["outbox_auth"]
    assert standby.lead()
    standby.close()
    listening.close()


def test_a_relay_whose_session_was_ended_cannot_mark_anything(
    relay: Relay, broker: Broker, observer: psycopg.Connection
) -> None:
    with transaction() as session:
        write_note(session, new_id())
    observer.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'igloo_auth'")

    with pytest.raises(psycopg.OperationalError):
        relay.step()

    assert unpublished(observer) == [NoteWritten.type]
    successor = make_relay(broker)
    assert successor.lead()
    successor.step()
    assert unpublished(observer) == []
    successor.close()


@pytest.fixture
def full_queue(rabbitmq_url: str) -> Iterator[Broker]:
    """Declare the subscriber's queue with room for ten messages, after which it refuses."""
    link = Link(rabbitmq_url)
    link.channel.exchange_declare(EVENTS, "topic", durable=True, auto_delete=False)
    arguments = {"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 10}
    link.channel.queue_declare(consumers.queue, durable=True, auto_delete=False, arguments=arguments)
    link.channel.queue_bind(consumers.queue, EVENTS, routing_key=NoteWritten.type)
    link.close()
    yield broker_at(rabbitmq_url)
    delete_queue(rabbitmq_url, consumers.queue)


def test_only_confirmed_rows_are_marked_and_a_refusal_reorders_nothing(
    event_database: Postgres, full_queue: Broker, rabbitmq_url: str, observer: psycopg.Connection
) -> None:
    for _app in running_app(event_database, rabbitmq_url, service="auth"):
        _send_through_a_full_queue(full_queue, observer)


def _send_through_a_full_queue(broker: Broker, observer: psycopg.Connection) -> None:
    notes = [new_id() for _ in range(4)]
    with transaction() as session:
        for _ in range(25):
            for note in notes:
                write_note(session, note)
    relay = make_relay(broker)
    assert relay.lead()

    relay.step()

    waiting = unpublished(observer)
    assert 0 < len(waiting) < len(notes) * 25
    arrived: list[tuple[str, int]] = []
    subscriber = broker.subscriber(consumers.queue)

    def drain() -> int:
        batch = subscriber.receive(timeout_seconds=0.2)
        arrived.extend((e.key, e.sequence) for e in (decode_envelope(message.body) for message in batch))
        subscriber.acknowledge(batch)
        relay.step()
        return len(batch)

    eventually(
        lambda: (drain(), unpublished(observer))[1],
        lambda seen: not seen,
        what="all sent",
        timeout_seconds=60,
    )
    eventually(drain, lambda seen: seen == 0, what="all received")
    for note in notes:
        assert [sequence for key, sequence in arrived if key == f"note:{note}"] == list(range(1, 26))
    subscriber.close()
    relay.close()

"""A message is acknowledged after it has been stored, and never before."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import ProgrammingError

from factories.event_rooms import rows
from factories.event_services import NoteWritten, consumers
from factories.waiting import eventually
from igloo_common.broker_contact import BrokerContact
from igloo_common.clock import utc_now
from igloo_common.database import current_engine
from igloo_common.events import Envelope, encode_envelope
from igloo_common.ids import new_id
from igloo_common.messaging import Broker, Outgoing
from igloo_common.worker_steps import ReceiveStep

pytestmark = pytest.mark.usefixtures("subscriber_app")


@pytest.fixture
def receive(subscriber_app: Flask, broker: Broker) -> Iterator[ReceiveStep]:
    """Make the step of a receiving thread."""
    with subscriber_app.app_context():
        step = receiving(broker)
    yield step
    step.close()


class ProcessDied(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def dying(receive: ReceiveStep, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> ReceiveStep:
    """Make a step whose process dies between the commit and the acknowledgement."""

    def die(_messages: object) -> None:
        raise ProcessDied

    subscriber = broker.subscriber(consumers.queue)
    monkeypatch.setattr(subscriber, "acknowledge", die)
    monkeypatch.setattr(receive, "_subscriber", subscriber)
    return receive


@pytest.fixture
def sent(broker: Broker) -> list[str]:
    """Publish three messages of which one is no event."""
    bodies = [_body(1), b"no event", _body(2)]
    publisher = broker.publisher()
    publisher.publish(
        [Outgoing(event_id=new_id(), routing_key=NoteWritten.type, body=body) for body in bodies]
    )
    publisher.close()
    return ["note:1", "note:2"]


def _body(number: int) -> bytes:
    envelope = Envelope(
        id=new_id(),
        type=NoteWritten.type,
        key=f"note:{number}",
        sequence=1,
        time=utc_now(),
        traceparent=None,
        data=b'{"text": "hello"}',
    )
    return encode_envelope(envelope, source="/igloo/auth")


def receiving(broker: Broker) -> ReceiveStep:
    return ReceiveStep(current_engine(), broker, consumers, on_stored=lambda: None, contact=BrokerContact())


def stored(observer: psycopg.Connection) -> list[str]:
    return [
        str(key) for (key,) in rows(observer, "SELECT aggregate_key FROM inbox ORDER BY 1", schema="social")
    ]


def fail_to_store(step: ReceiveStep, observer: psycopg.Connection) -> None:
    """Take the inbox away while the step receives."""
    observer.execute("ALTER TABLE social.inbox RENAME TO inbox_elsewhere")

    def refused() -> bool:
        try:
            step()
        except ProgrammingError:
            return True
        return False

    eventually(refused, what="a message that could not be stored")
    observer.execute("ALTER TABLE social.inbox_elsewhere RENAME TO inbox")


def test_messages_are_stored_and_then_forgotten_by_the_broker(
    receive: ReceiveStep, broker: Broker, observer: psycopg.Connection, sent: list[str]
) -> None:
    eventually(lambda: (receive(), stored(observer))[1], lambda keys: keys == sent, what="the inbox filled")
    receive.close()

    assert rows(observer, "SELECT body FROM parked_messages", schema="social") == [(b"no event",)]
    subscriber = broker.subscriber(consumers.queue)
    assert not subscriber.receive(timeout_seconds=0.3)
    subscriber.close()


def test_what_could_not_be_stored_comes_again_to_the_next_process(
    receive: ReceiveStep, broker: Broker, observer: psycopg.Connection, sent: list[str]
) -> None:
    fail_to_store(receive, observer)
    receive.close()
    assert stored(observer) == []

    successor = receiving(broker)
    eventually(lambda: (successor(), stored(observer))[1], lambda keys: keys == sent, what="the inbox filled")
    successor.close()


def test_what_could_not_be_stored_is_held_until_the_database_takes_it(
    receive: ReceiveStep, observer: psycopg.Connection, sent: list[str]
) -> None:
    fail_to_store(receive, observer)

    receive()

    assert stored(observer) == sent


def test_messages_stored_by_a_process_that_died_before_it_acknowledged_are_stored_once(
    dying: ReceiveStep, broker: Broker, observer: psycopg.Connection, sent: list[str]
) -> None:
    with pytest.raises(ProcessDied):
        eventually(lambda: dying() and stored(observer) == sent, what="the death of the process")
    dying.close()
    assert stored(observer) == sent

    successor = receiving(broker)

    def parked() -> int:
        successor()
        return len(rows(observer, "SELECT 1 FROM parked_messages", schema="social"))

    eventually(parked, lambda count: count == 2, what="everything received again")
    successor.close()
    assert stored(observer) == sent

"""A worker says how it stands with its broker by what its threads have experienced, and without asking it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask

from factories.clocks import HandClock
from factories.event_rooms import rows, running_app
from factories.event_services import consumers, write_note
from igloo_common.broker_contact import BrokerContact
from igloo_common.database import current_engine, transaction
from igloo_common.ids import new_id
from igloo_common.messaging import BrokerUnavailable, broker_at
from igloo_common.readiness import Verdict
from igloo_common.worker_steps import ReceiveStep, RelayStep
from igloo_local.parts.postgres import Postgres

NO_BROKER = "amqp://nobody:nothing@127.0.0.1:9//"


@pytest.fixture
def app(event_database: Postgres) -> Iterator[Flask]:
    """Make a service that publishes, and whose broker is away."""
    yield from running_app(event_database, NO_BROKER, service="auth")


@pytest.fixture
def contact() -> BrokerContact:
    return BrokerContact()


@pytest.fixture
def relay(app: Flask, contact: BrokerContact) -> Iterator[RelayStep]:
    step = RelayStep(current_engine(), broker_at(NO_BROKER), service="auth", contact=contact)
    yield step
    step.close()


def state(contact: BrokerContact) -> object:
    return contact.check().told["state"]


def test_a_relay_with_nothing_to_publish_says_nothing_of_the_broker(
    relay: RelayStep, contact: BrokerContact
) -> None:
    relay()

    assert (contact.check().verdict, state(contact)) == (Verdict.READY, "not needed yet")


def test_a_relay_that_cannot_publish_says_so_until_nothing_waits_any_more(
    relay: RelayStep, contact: BrokerContact, observer: psycopg.Connection
) -> None:
    with transaction() as session:
        write_note(session, new_id())
    with pytest.raises(BrokerUnavailable):
        relay()
    found = contact.check()
    rows(observer, "UPDATE outbox SET published_at = now() RETURNING id", schema="auth")
    relay()

    assert (found.verdict, found.told["state"]) == (Verdict.DEGRADED, "away")
    assert state(contact) == "not needed yet", "it would never learn that the broker is back"


def test_a_receiver_that_cannot_connect_says_so(app: Flask, contact: BrokerContact) -> None:
    receive = ReceiveStep(
        current_engine(), broker_at(NO_BROKER), consumers, on_stored=lambda: None, contact=contact
    )
    with pytest.raises(BrokerUnavailable):
        receive()

    assert state(contact) == "away"


def test_the_broker_is_away_since_the_first_failure_of_any_thread_and_until_the_last_has_reached_it() -> None:
    clock = HandClock()
    contact = BrokerContact(now=clock)
    told = []
    for thread, reached in (
        ("receiver", True),
        ("relay", False),
        ("receiver", False),
        ("receiver", False),
        ("receiver", True),
        ("relay", True),
    ):
        contact.note(thread, reached=reached)
        clock.now += 10
        told.append((state(contact), contact.check().told["since_seconds"]))

    assert told == [
        ("connected", 10),
        ("away", 10),
        ("away", 20),
        ("away", 30),
        ("away", 40),
        ("connected", 20),
    ]

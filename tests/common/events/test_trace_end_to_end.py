"""One trace from a request to the second service that it concerns, and back to the first."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson
import psycopg
import pytest
from flask import Flask
from sqlalchemy.orm import Session

from factories.event_rooms import rows, running_app
from factories.event_services import NoteWritten, consumers, write_note
from factories.waiting import eventually
from igloo_common.applier import Applier
from igloo_common.broker_contact import BrokerContact
from igloo_common.clock import utc_now
from igloo_common.consumers import Consumers, Delivery
from igloo_common.database import current_engine, transaction
from igloo_common.ids import new_id
from igloo_common.messaging import broker_at
from igloo_common.tracing import current_trace
from igloo_common.worker_steps import ReceiveStep, RelayStep
from igloo_local.parts.postgres import Postgres

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_LOG = logging.getLogger("igloo_common.tests")


@dataclass(frozen=True)
class Nothing:
    """A view that reads nothing."""


@pytest.fixture
def publisher(event_database: Postgres, declared_rabbitmq: str) -> Iterator[Flask]:
    """Make a service that writes a note for each request."""
    for app in running_app(event_database, declared_rabbitmq, service="auth"):

        @app.post("/write")
        def write() -> str:
            with transaction() as session:
                write_note(session, new_id())
            return "written"

        yield app


def pass_on(url: str, service: str, register: Consumers) -> None:
    """Publish what the current service has to say, and take in what comes for the register."""
    contact = BrokerContact()
    relay = RelayStep(current_engine(), broker_at(url), service=service, contact=contact)
    eventually(lambda: not relay() and not _waiting(), what="everything published")
    relay.close()
    assert register.queue == consumers.queue


def take(url: str, register: Consumers) -> None:
    """Receive and apply what has come."""
    receive = ReceiveStep(
        current_engine(), broker_at(url), register, on_stored=lambda: None, contact=BrokerContact()
    )
    applier = Applier(register, now=utc_now)
    eventually(lambda: (receive(), _applied(), applier.step())[1], what="an applied event")
    receive.close()


def _waiting() -> bool:
    with current_engine().connect() as connection:
        query = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        return bool(connection.exec_driver_sql(query).scalar_one())


def _applied() -> int:
    with current_engine().connect() as connection:
        query = "SELECT count(*) FROM inbox WHERE status = 'applied'"
        return int(connection.exec_driver_sql(query).scalar_one())


def test_a_request_and_all_that_follows_from_it_are_one_trace(
    publisher: Flask,
    event_database: Postgres,
    declared_rabbitmq: str,
    observer: psycopg.Connection,
    capfd: pytest.CaptureFixture[str],
) -> None:
    first, second, traces = Consumers("social"), Consumers("social"), []

    @first.on(NoteWritten.type, Nothing)
    def answer(session: Session, event: Delivery[Nothing], _now: datetime) -> None:
        traces.append(current_trace())
        _LOG.warning("The first reader has answered")
        write_note(session, event.id)

    @second.on(NoteWritten.type, Nothing)
    def note(_session: Session, _event: Delivery[Nothing], _now: datetime) -> None:
        traces.append(current_trace())
        _LOG.warning("The second reader has heard of it")

    sent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    assert publisher.test_client().post("/write", headers=sent).status_code == 200
    pass_on(declared_rabbitmq, "auth", first)
    for subscriber in running_app(event_database, declared_rabbitmq, service="social"):
        with subscriber.app_context():
            take(declared_rabbitmq, first)
            pass_on(declared_rabbitmq, "social", second)
            observer.execute("DELETE FROM social.inbox")
            take(declared_rabbitmq, second)

    assert [trace and trace.trace_id for trace in traces] == [TRACE, TRACE]
    assert len({trace.span_id for trace in traces if trace}) == 2
    found = [
        str(traceparent).split("-")[1]
        for schema in ("auth", "social")
        for (traceparent,) in rows(observer, "SELECT traceparent FROM outbox", schema=schema)
    ]
    assert found == [TRACE, TRACE]
    lines = [orjson.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    said = {line["message"]: line["trace_id"] for line in lines if line["logger"] == _LOG.name}
    assert said == {"The first reader has answered": TRACE, "The second reader has heard of it": TRACE}

"""From one service's change to another's effect, while processes, broker and database come and go."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from flask import Flask

from factories.event_rooms import rows, running_app
from factories.event_services import POISON, write_note
from factories.event_workers import WorkerProcess
from factories.waiting import eventually
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_local.parts.postgres import Postgres
from igloo_local.parts.rabbitmq import RabbitMQ

Start = Callable[[str], WorkerProcess]


@pytest.fixture
def start(event_database: Postgres, broker_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start workers by service; they end with the test."""
    workers: list[WorkerProcess] = []

    def start_one(service: str) -> WorkerProcess:
        workers.append(
            WorkerProcess(event_database, broker_url, service=service, log=tmp_path / f"{service}.log")
        )
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.kill()


def write_notes(notes: Sequence[UUID], *, each: int) -> None:
    for _ in range(each):
        for note in notes:
            with transaction() as session:
                write_note(session, note)


def await_effects(
    observer: psycopg.Connection, notes: Sequence[UUID], *, each: int, seconds: float = 90
) -> None:
    """Wait until every event has had its effect; fail if one had two, or if a note's came out of order."""
    query = "SELECT aggregate_key, sequence FROM effects ORDER BY number"
    wanted = {(f"note:{note}", sequence) for note in notes for sequence in range(1, each + 1)}
    seen = eventually(
        lambda: rows(observer, query, schema="social"),
        lambda found: wanted <= set(found),
        what="every effect",
        timeout_seconds=seconds,
    )
    repeated = {effect: count for effect, count in Counter(seen).items() if count > 1}
    assert repeated == {}
    for note in notes:
        sequences = [sequence for key, sequence in seen if key == f"note:{note}"]
        assert sequences == sorted(map(int, map(str, sequences)))


def test_events_take_effect_once_and_workers_stop_cleanly_when_told(
    publisher_app: Flask, start: Start, observer: psycopg.Connection
) -> None:
    workers = [start("auth").wait_ready(), start("social").wait_ready()]
    notes = [new_id() for _ in range(4)]
    write_notes(notes, each=20)

    await_effects(observer, notes, each=20)

    assert [worker.terminate() for worker in workers] == [0, 0]


def test_a_worker_removes_what_a_killed_one_worked_on(start: Start) -> None:
    abandoned = Path(tempfile.mkdtemp(prefix="igloo-work-"))
    (abandoned / "original").write_bytes(b"a photo")

    start("social").wait_ready()

    assert not abandoned.exists()


def test_two_workers_a_service_killed_in_turn_lose_and_repeat_nothing(
    publisher_app: Flask, start: Start, observer: psycopg.Connection
) -> None:
    workers = [(service, start(service).wait_ready()) for service in ("auth", "social", "auth", "social")]
    notes = [new_id() for _ in range(4)]
    for turn in range(1, 6):
        write_notes(notes, each=15)
        service, victim = workers.pop(0)
        victim.kill()
        workers.append((service, start(service) if turn % 3 else start(service).wait_ready()))

    await_effects(observer, notes, each=5 * 15)


def test_the_worker_comes_back_by_itself_after_the_database_was_away(
    publisher_app: Flask, start: Start, observer: psycopg.Connection, event_database: Postgres
) -> None:
    workers = [start("auth").wait_ready(), start("social").wait_ready()]
    notes = [new_id()]
    write_notes(notes, each=5)
    event_database.stop()
    eventually(lambda: workers[0].get("/readyz")[0], lambda status: status == 503, what="the worker unready")
    assert workers[0].get("/healthz")[0] == 200
    event_database.start()

    write_notes(notes, each=5)

    with event_database.connect(database="common_events") as fresh:
        await_effects(fresh, notes, each=10)
    assert all(worker.process.poll() is None for worker in workers)


def test_the_worker_tells_what_waits_and_what_it_has_done(
    publisher_app: Flask, start: Start, observer: psycopg.Connection
) -> None:
    publishing, subscribing = start("auth").wait_ready(), start("social").wait_ready()
    with transaction() as session:
        write_note(session, new_id(), POISON)
        write_note(session, new_id())

    eventually(
        lambda: rows(observer, "SELECT 1 FROM inbox WHERE attempts > 0", schema="social"),
        what="the failing event",
    )
    assert "igloo_relay_published_total 2.0" in publishing.get("/metrics")[1]
    assert "igloo_outbox_unpublished 0.0" in publishing.get("/metrics")[1]
    metrics = subscribing.get("/metrics")[1]
    assert "igloo_inbox_pending 1.0" in metrics
    assert 'igloo_inbox_applied_total{outcome="failed",type="auth.note.written.v1"}' in metrics
    assert subscribing.get("/nothing")[0] == 404


@dataclass(frozen=True)
class Outage:
    """Two workers on a RabbitMQ that is about to go."""

    database: Postgres
    node: RabbitMQ
    workers: Sequence[WorkerProcess]

    def await_states(self, state: str) -> None:
        """Wait until the workers say so of their broker; they are ready with it and without."""
        for worker in self.workers:
            status, body = eventually(
                partial(worker.get, "/readyz"),
                lambda found: f'"broker":{{"state":"{state}"' in found[1],
                what=f"a worker whose broker is {state}",
                timeout_seconds=60,
            )
            assert (status, '"degraded"' in body) == (200, state == "away")

    def write_through(
        self, app: Flask, observer: psycopg.Connection, notes: Sequence[UUID], *, how: str
    ) -> None:
        """Take the broker away while events are published, and bring it back when all are written."""

        def write() -> None:
            with app.app_context():
                write_notes(notes, each=200)

        writer = threading.Thread(target=write)
        writer.start()
        published = "SELECT 1 FROM outbox WHERE published_at IS NOT NULL"
        eventually(lambda: rows(observer, published, schema="auth"), what="the first events being published")
        broker = self.node.processes[-1]
        broker.kill() if how == "kill" else broker.stop()
        writer.join(timeout=60)
        assert not writer.is_alive()
        assert rows(observer, "SELECT 1 FROM outbox WHERE published_at IS NULL", schema="auth")
        self.await_states("away")
        assert (app.test_client().get("/readyz").json or {})["status"] == "ready"
        self.node.stop()
        self.node.start()


@pytest.fixture
def outage(
    event_database: Postgres, rabbitmq: RabbitMQ, declared_rabbitmq: str, tmp_path: Path
) -> Iterator[Outage]:
    """Start both workers on RabbitMQ."""
    workers = [
        WorkerProcess(event_database, declared_rabbitmq, service=service, log=tmp_path / f"{service}.log")
        for service in ("auth", "social")
    ]
    for worker in workers:
        worker.wait_ready()
    # A quorum queue that is killed within half a second of its declaration loses what it has confirmed.
    threading.Event().wait(2)
    yield Outage(event_database, rabbitmq, workers)
    for worker in workers:
        worker.kill()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_broker_that_goes_in_the_middle_of_a_batch_loses_nothing_and_stops_no_writer(
    outage: Outage, observer: psycopg.Connection, how: str
) -> None:
    notes = [new_id() for _ in range(5)]
    for app in running_app(outage.database, outage.node.url, service="auth"):
        outage.write_through(app, observer, notes, how=how)
        await_effects(observer, notes, each=200, seconds=90)
        outage.await_states("connected")

"""Several relays, receivers and appliers over one database and a real RabbitMQ, while sessions are cut."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from factories.event_rooms import rows, running_app
from factories.event_services import consumers, write_note
from factories.waiting import eventually
from igloo_common.applier import Applier
from igloo_common.broker_contact import BrokerContact
from igloo_common.clock import utc_now
from igloo_common.database import current_engine, transaction
from igloo_common.ids import new_id
from igloo_common.loops import Loop
from igloo_common.messaging import broker_at
from igloo_common.relay import Relay
from igloo_common.worker_steps import ReceiveStep, RelayStep
from igloo_local.parts.postgres import Postgres

CUTS = {
    "the leader": "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND usename = 'igloo_auth' AND granted AND mode = 'ExclusiveLock'",
    "the readers": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'igloo_social'",
    "everybody": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'igloo_%'",
}


class Ensemble:
    """Two relays, two receivers and four appliers, each in a thread of its own as in a worker."""

    def __init__(self, publisher: Flask, subscriber: Flask, url: str) -> None:
        self._stop = threading.Event()
        contact = BrokerContact()
        with publisher.app_context():
            engine = current_engine()
            relays = [RelayStep(engine, broker_at(url), service="auth", contact=contact) for _ in range(2)]
        with subscriber.app_context():
            engine = current_engine()
            receivers = [
                ReceiveStep(engine, broker_at(url), consumers, on_stored=lambda: None, contact=contact)
                for _ in range(2)
            ]
        applier = _in_app(subscriber, Applier(consumers, now=utc_now).step)
        self._loops = [
            *(Loop("relay", relay, idle_seconds=0.05, close=relay.close) for relay in relays),
            *(Loop("receiver", receive, idle_seconds=0, close=receive.close) for receive in receivers),
            *(Loop("applier", applier, idle_seconds=0.05) for _ in range(4)),
        ]
        self._threads = [threading.Thread(target=loop.run, args=[self._stop]) for loop in self._loops]

    def start(self) -> None:
        """Have all of them work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Have all of them finish."""
        self._stop.set()
        for loop in self._loops:
            loop.wake_up()
        for thread in self._threads:
            thread.join(timeout=30)
        assert not any(thread.is_alive() for thread in self._threads)


def _in_app(app: Flask, step: Callable[[], bool]) -> Callable[[], bool]:
    def inside() -> bool:
        with app.app_context():
            return step()

    return inside


@pytest.fixture
def publisher(event_database: Postgres, declared_rabbitmq: str) -> Iterator[Flask]:
    """Make the publishing service over RabbitMQ."""
    yield from running_app(event_database, declared_rabbitmq, service="auth")


@pytest.fixture
def ensemble(publisher: Flask, event_database: Postgres, declared_rabbitmq: str) -> Iterator[Ensemble]:
    """Start everything that works side by side."""
    for subscriber in running_app(event_database, declared_rabbitmq, service="social"):
        together = Ensemble(publisher, subscriber, declared_rabbitmq)
        together.start()
        yield together
        together.stop()


@contextmanager
def cut_after(monkeypatch: pytest.MonkeyPatch, cut: Callable[[], None]) -> Iterator[None]:
    """Cut once between a confirm and the mark that follows it."""
    mark, done = Relay._mark, threading.Event()

    def cut_and_mark(relay: Relay, ids: list[int]) -> None:
        if ids and not done.is_set():
            done.set()
            cut()
        mark(relay, ids)

    with monkeypatch.context() as patched:
        patched.setattr(Relay, "_mark", cut_and_mark)
        yield


def write(app: Flask, notes: list[UUID], rounds: int) -> None:
    with app.app_context():
        for _ in range(rounds):
            with transaction() as session:
                for note in notes:
                    write_note(session, note)


def verify(observer: psycopg.Connection, notes: list[UUID], *, each: int) -> None:
    """Wait for every effect, and see that each came once, in the order of its key."""
    query = "SELECT aggregate_key, sequence FROM effects WHERE aggregate_key = ANY(%s) ORDER BY number"
    keys = [f"note:{note}" for note in notes]
    wanted = {(key, number) for key in keys for number in range(1, each + 1)}
    seen = eventually(
        lambda: rows(observer, query, keys, schema="social"),
        lambda found: wanted <= set(found),
        what="every effect",
        timeout_seconds=60,
    )
    assert {effect: count for effect, count in Counter(seen).items() if count > 1} == {}
    for key in keys:
        assert [number for of, number in seen if of == key] == list(range(1, each + 1))


def test_whoever_is_cut_whenever_each_event_has_its_effect_once_and_in_order(
    ensemble: Ensemble, publisher: Flask, observer: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not shrunk: an example that fails waits for what does not come.
    @settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(
        plan=st.lists(
            st.tuples(st.integers(1, 12), st.sampled_from([*CUTS, "nobody"])), min_size=2, max_size=4
        ),
        between_confirm_and_mark=st.sampled_from(sorted(CUTS)),
    )
    def run(plan: list[tuple[int, str]], between_confirm_and_mark: str) -> None:
        notes = [new_id() for _ in range(4)]
        with cut_after(monkeypatch, lambda: cut(observer, between_confirm_and_mark)):
            for rounds, victim in plan:
                write_through(publisher, notes, rounds)
                cut(observer, victim)
            verify(observer, notes, each=sum(rounds for rounds, _ in plan))
        _repeat(observer, notes)

    run()
    assert ensemble is not None


def write_through(app: Flask, notes: list[UUID], rounds: int) -> None:
    """Write so many rounds; one that is cut off has not happened, and is written again."""
    for _ in range(rounds):
        with suppress(DBAPIError):
            write(app, notes, 1)
            continue
        write(app, notes, 1)


def cut(observer: psycopg.Connection, victim: str) -> None:
    if victim in CUTS:
        with psycopg.connect(observer.info.dsn, password=observer.info.password, autocommit=True) as another:
            another.execute(CUTS[victim].encode())


def _repeat(observer: psycopg.Connection, notes: list[UUID]) -> None:
    """Have everything published once more, newest and oldest anew: nothing may have a second effect."""
    keys = [f"note:{note}" for note in notes]
    count = "SELECT count(*) FROM effects"
    before = rows(observer, count, schema="social")
    observer.execute("UPDATE auth.outbox SET published_at = NULL WHERE aggregate_key = ANY(%s)", [keys])
    waiting = "SELECT 1 FROM outbox WHERE published_at IS NULL LIMIT 1"
    eventually(lambda: not rows(observer, waiting, schema="auth"), what="everything repeated")
    assert rows(observer, count, schema="social") == before

"""A worker's thread outlives what passes and ends at what does not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from factories.event_rooms import environ_of
from factories.event_services import consumers, event_app
from factories.waiting import eventually
from igloo_common import loops
from igloo_common.loops import Loop
from igloo_common.messaging import BrokerUnavailable
from igloo_common.worker import Lane, PeriodicJob, Worker
from igloo_local.parts.postgres import Postgres


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """Order every loop of a test to stop in the end."""
    order = threading.Event()
    yield order
    order.set()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "_MAX_PAUSE_SECONDS", 0.001)


def test_a_step_that_fails_is_repeated_until_it_works(stop: threading.Event) -> None:
    outcomes = [OSError("gone"), BrokerUnavailable("gone"), None]

    def step() -> bool:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome
        stop.set()
        return True

    Loop("test", step, idle_seconds=0).run(stop)
    assert outcomes == []


def test_a_step_that_has_failed_for_too_long_ends_the_thread(
    stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "GIVE_UP_SECONDS", 0.05)
    closed: list[bool] = []

    def step() -> bool:
        raise OSError("gone for good")

    with pytest.raises(OSError, match="gone for good"):
        Loop("test", step, idle_seconds=0, close=lambda: closed.append(True)).run(stop)
    assert closed == [True]


def test_a_broker_may_stay_away_for_any_time(stop: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "GIVE_UP_SECONDS", 0.0)
    attempts: list[int] = []

    def step() -> bool:
        attempts.append(1)
        if len(attempts) == 20:
            stop.set()
        raise BrokerUnavailable("still gone")

    Loop("test", step, idle_seconds=0).run(stop)
    assert len(attempts) == 20


def test_a_wait_ends_when_the_loop_is_woken_or_stopped(stop: threading.Event) -> None:
    steps = threading.Semaphore(0)

    def step() -> bool:
        steps.release()
        return False

    loop = Loop("test", step, idle_seconds=3600)
    thread = threading.Thread(target=loop.run, args=[stop])
    thread.start()
    assert steps.acquire(timeout=5)
    loop.wake_up()
    assert steps.acquire(timeout=5)
    stop.set()
    loop.wake_up()
    thread.join(timeout=5)
    assert not thread.is_alive()


def make_worker(
    server: Postgres, folder: Path, *, jobs: tuple[PeriodicJob, ...] = (), lanes: tuple[Lane, ...] = ()
) -> tuple[Flask, Worker]:
    app, settings = event_app(
        environ_of(server, f"filesystem://{folder}", service="social"), service="social"
    )
    return app, Worker(app=app, settings=settings, consumers=consumers, jobs=jobs, lanes=lanes)


def test_a_worker_whose_thread_dies_ends_with_an_error(
    event_database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "GIVE_UP_SECONDS", 0.0)

    def broken() -> bool:
        raise OSError("broken")

    _, worker = make_worker(event_database, tmp_path, lanes=(Lane("broken", broken, None, 1.0),))
    assert worker.run() == 1


def test_lanes_are_woken_and_a_failing_job_stops_neither_its_worker_nor_its_next_run(
    event_database: Postgres, tmp_path: Path
) -> None:
    woken, runs = threading.Semaphore(0), []

    def step() -> bool:
        woken.release()
        return False

    def fail() -> None:
        runs.append(1)
        raise RuntimeError("no luck")

    job = PeriodicJob("unlucky", 0.01, fail)
    _, worker = make_worker(
        event_database, tmp_path, jobs=(job,), lanes=(Lane("photos", step, "photos", 3600.0, 2),)
    )
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(worker.run()))
    thread.start()
    with event_database.connect(database="common_events") as connection:

        def wake() -> bool:
            connection.execute("NOTIFY photos")
            return woken.acquire(blocking=False)

        for _ in range(6):
            eventually(wake, what="a woken lane")
    eventually(lambda: len(runs), lambda count: count >= 3, what="three runs of the job")
    worker.stop()
    thread.join(timeout=20)
    assert statuses == [0]

"""A worker goes by the database's clock, whatever its own machine's shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import create_engine

from factories.event_rooms import environ_of
from factories.event_services import consumers, event_app
from factories.waiting import eventually
from igloo_common import clock
from igloo_common.clock import utc_now
from igloo_common.database_clock import DatabaseClock
from igloo_common.worker import PeriodicJob, Worker
from igloo_local.parts.postgres import Postgres

NEAR = timedelta(seconds=10)


class TwoDaysAhead(datetime):
    """What `datetime` says on a machine whose clock has jumped."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> TwoDaysAhead:
        """Say the wrong time."""
        wrong = datetime.now(tz) + timedelta(days=2)
        return cls.fromtimestamp(wrong.timestamp(), tz)


@pytest.fixture(autouse=True)
def _own_clock_again() -> Iterator[None]:
    yield
    clock.believe_this_machine()


@pytest.fixture
def _jumped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "datetime", TwoDaysAhead)


@pytest.mark.usefixtures("_jumped")
def test_jobs_of_a_worker_whose_clock_has_jumped_are_told_the_right_time(
    event_database: Postgres, tmp_path: Path
) -> None:
    seen: list[datetime] = []
    job = PeriodicJob("look", 0.01, lambda: seen.append(utc_now()))
    environ = environ_of(event_database, f"filesystem://{tmp_path}", service="social")
    app, settings = event_app(environ, service="social")
    worker = Worker(app=app, settings=settings, consumers=consumers, jobs=[job])
    thread = threading.Thread(target=worker.run)
    assert utc_now() - datetime.now(UTC) > timedelta(days=1)

    thread.start()
    eventually(lambda: len(seen), lambda count: count >= 3, what="three runs of the job")
    worker.stop()
    thread.join(timeout=20)

    assert all(abs(time - datetime.now(UTC)) < NEAR for time in seen)
    assert utc_now() - datetime.now(UTC) > timedelta(days=1)


def test_a_clock_that_was_read_counts_on() -> None:
    shown = datetime(2030, 1, 1, tzinfo=UTC)

    clock.believe(shown, at_monotonic=monotonic() - 60)

    assert timedelta(seconds=60) <= utc_now() - shown < timedelta(seconds=60) + NEAR


@pytest.mark.usefixtures("_jumped")
def test_a_worker_starts_with_its_own_clock_while_the_database_is_away() -> None:
    nowhere = create_engine("postgresql+psycopg://auk@127.0.0.1:9/igloo", connect_args={"connect_timeout": 2})

    DatabaseClock(nowhere).try_once()

    assert utc_now() - datetime.now(UTC) > timedelta(days=1)

"""One transaction a unit of work, and connections that a database restart cannot spoil."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Thread

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from factories.event_rooms import DATABASE, rows, running_app
from factories.event_services import write_note
from factories.waiting import eventually
from igloo_common.database import NestedTransaction, reading, transaction
from igloo_common.ids import new_id
from igloo_local.parts.postgres import Postgres

THREADS = 6


@pytest.fixture
def app(event_database: Postgres, tmp_path: Path) -> Iterator[Flask]:
    """Make a service on the database."""
    yield from running_app(event_database, f"filesystem://{tmp_path}", service="auth")


def count_events(observer: psycopg.Connection) -> int:
    return len(rows(observer, "SELECT 1 FROM outbox", schema="auth"))


@pytest.mark.usefixtures("app")
def test_a_transaction_commits_when_its_block_ends_and_not_before(observer: psycopg.Connection) -> None:
    with transaction() as session:
        write_note(session, new_id())
        assert count_events(observer) == 0
    assert count_events(observer) == 1


@pytest.mark.usefixtures("app")
def test_a_second_transaction_inside_the_first_is_refused_and_the_first_rolls_back(
    observer: psycopg.Connection,
) -> None:
    def nest() -> None:
        with transaction() as session:
            write_note(session, new_id())
            with transaction():
                pytest.fail("the second was opened")

    with pytest.raises(NestedTransaction, match="pass its session down"):
        nest()
    assert count_events(observer) == 0
    with transaction() as session:
        write_note(session, new_id())
    assert count_events(observer) == 1


def test_transactions_of_different_threads_do_not_see_each_other(app: Flask) -> None:
    both = Barrier(2, timeout=10)

    def write(_: int) -> None:
        with app.app_context(), transaction() as session:
            both.wait()
            write_note(session, new_id())

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))


@pytest.mark.usefixtures("app")
def test_reading_opens_no_transaction(observer: psycopg.Connection) -> None:
    with reading() as connection:
        connection.execute(text("SELECT 1"))
        states = observer.execute(
            "SELECT state FROM pg_stat_activity WHERE usename = 'igloo_auth'"
        ).fetchall()
    assert states == [("idle",)]


def test_no_request_fails_after_the_server_has_closed_every_connection(
    app: Flask, observer: psycopg.Connection
) -> None:
    together = Barrier(THREADS, timeout=10)

    def read(_: int) -> int:
        with app.app_context(), reading() as connection:
            together.wait()
            return int(connection.execute(text("SELECT 1")).scalar_one())

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, range(THREADS)))
        closed = observer.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE usename = 'igloo_auth'"
        ).fetchone()
        assert closed == (THREADS,)
        assert list(pool.map(read, range(THREADS))) == [1] * THREADS


@pytest.mark.usefixtures("app")
def test_the_next_request_works_after_a_restart_of_the_server(event_database: Postgres) -> None:
    with reading() as connection:
        connection.execute(text("SELECT 1"))
    event_database.stop()
    event_database.start()
    with transaction() as session:
        assert session.execute(text("SELECT current_database()")).scalar_one() == DATABASE


@pytest.mark.usefixtures("app")
def test_a_read_inside_a_transaction_stays_outside_of_it(observer: psycopg.Connection) -> None:
    with transaction() as session:
        write_note(session, new_id())
        with reading() as outside:
            assert outside.execute(text("SELECT count(*) FROM outbox")).scalar_one() == 0
        with reading() as outside, pytest.raises(DBAPIError):
            outside.execute(text("SELECT 1 / 0"))
    with reading() as after:
        assert after.execute(text("SELECT count(*) FROM outbox")).scalar_one() == 1
    assert count_events(observer) == 1


@pytest.mark.usefixtures("app")
def test_a_failed_read_or_transaction_leaves_nothing_for_the_next(observer: psycopg.Connection) -> None:
    for unit in (transaction, reading):
        with pytest.raises(DBAPIError), unit() as failing:
            failing.execute(text("SELECT 1 / 0"))
        with unit() as next_one:
            assert next_one.execute(text("SELECT 1")).scalar_one() == 1
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'igloo_auth' AND state <> 'idle'"
    assert observer.execute(query).fetchone() == (0,)


def test_a_thread_keeps_one_connection_and_closes_it_when_it_ends(
    app: Flask, observer: psycopg.Connection
) -> None:
    def connections() -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'igloo_auth'"
        row = observer.execute(query).fetchone()
        return int(row[0]) if row else -1

    def work(_: int) -> int:
        with app.app_context():
            for _turn in range(5):
                with reading() as connection:
                    connection.execute(text("SELECT 1"))
                with transaction() as session:
                    session.execute(text("SELECT 1"))
        return connections()

    with ThreadPoolExecutor(1) as pool:
        assert list(pool.map(work, range(3))) == [1, 1, 1]
    eventually(connections, lambda count: count == 0, what="the thread's connection closed")


def test_a_connection_of_any_thread_is_closed_with_the_engine(
    app: Flask, observer: psycopg.Connection
) -> None:
    read, disposed = Event(), Event()

    def work() -> None:
        with app.app_context(), reading() as connection:
            connection.execute(text("SELECT 1"))
        read.set()
        disposed.wait(timeout=10)

    thread = Thread(target=work)
    thread.start()
    assert read.wait(timeout=10)
    app.extensions["sqlalchemy"].engine.dispose()
    query = "SELECT pid FROM pg_stat_activity WHERE usename = 'igloo_auth'"
    eventually(lambda: observer.execute(query).fetchall(), lambda left: not left, what="no connection left")
    disposed.set()
    thread.join()

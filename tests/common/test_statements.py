"""Statements run past SQLAlchemy: in order with its own, in few round trips, and with its errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine, bindparam, create_engine, exc, select, text
from sqlalchemy.orm import Session

from factories.databases import DatabaseUrls
from igloo_common.statements import Statement

ADD = Statement("INSERT INTO numbers (number) VALUES (%(number)s::integer)")
READ = Statement("SELECT number FROM numbers ORDER BY number")
SHARE = Statement("SELECT 100 %% %(number)s::integer")


@pytest.fixture
def engine(database_urls: Mapping[str, DatabaseUrls]) -> Iterator[Engine]:
    # One connection: what is prepared on it, and waits on it, is met by the next transaction.
    engine = create_engine(
        database_urls["auth"].service, pool_size=1, max_overflow=0, connect_args={"prepare_threshold": 0}
    )
    with Session(engine) as session, session.begin():
        session.execute(text("CREATE TEMPORARY TABLE numbers (number integer CHECK (number > 0) UNIQUE)"))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


def numbers(session: Session) -> list[int]:
    return [number for (number,) in READ.rows(session, {})]


def add(session: Session, *added: int) -> None:
    for number in added:
        ADD.run(session, {"number": number})


def test_what_is_run_is_seen_by_what_is_read_next(session: Session) -> None:
    add(session, 1, 2)
    assert numbers(session) == [1, 2]
    add(session, 3)
    assert session.scalar(text("SELECT max(number) FROM numbers")) == 3


def test_what_is_run_is_kept_by_the_commit_and_nothing_by_a_rollback(session: Session) -> None:
    add(session, 1)
    session.commit()
    add(session, 2)
    session.rollback()
    add(session, 3)
    session.commit()
    assert numbers(session) == [1, 3]


def test_a_rollback_to_a_savepoint_takes_back_what_came_after_it_alone(session: Session) -> None:
    add(session, 1)
    with session.begin_nested() as attempt:
        add(session, 2)
        attempt.rollback()
    with session.begin_nested():
        add(session, 3)
    add(session, 4)
    assert numbers(session) == [1, 3, 4]


def test_statements_of_both_kinds_stay_prepared_or_are_prepared_anew_after_rollbacks(
    session: Session,
) -> None:
    for round_ in range(4):
        add(session, round_ + 1)
        assert session.scalar(text("SELECT count(*) FROM numbers")) == 1
        with session.begin_nested() as attempt:
            assert session.scalar(text("SELECT count(*) FROM numbers")) == 1
            attempt.rollback()
        assert numbers(session) == [round_ + 1]
        assert session.scalar(text("SELECT count(*) FROM numbers")) == 1
        assert numbers(session) == [round_ + 1]
        session.rollback()


def test_an_error_is_sqlalchemys_and_arises_when_the_statement_is_sent(session: Session) -> None:
    add(session, -1, 2)
    with pytest.raises(exc.IntegrityError):
        numbers(session)
    session.rollback()
    assert numbers(session) == []


def test_an_error_at_the_commit_leaves_nothing_of_the_transaction(session: Session) -> None:
    add(session, 1, 1)
    with pytest.raises(exc.IntegrityError):
        session.commit()
    session.rollback()
    assert numbers(session) == []


def test_a_count_tells_how_many_rows_have_changed(session: Session) -> None:
    add(session, 1, 2, 3)
    assert Statement("DELETE FROM numbers WHERE number > %(number)s").count(session, {"number": 1}) == 2


def test_two_reads_of_one_round_trip_have_a_result_each(session: Session) -> None:
    first = SHARE.send(session, {"number": 7})
    assert SHARE.rows(session, {"number": 9}) == [(1,)]
    assert first.rows() == [(2,)]


def test_an_expression_is_compiled_with_its_parameters(session: Session) -> None:
    double = Statement(select(bindparam("number", type_=None) + bindparam("number")))
    assert double.row(session, {"number": 21}) == (42,)


def test_more_than_a_socket_holds_goes_out_and_comes_back(session: Session) -> None:
    echo = Statement("SELECT %(text)s::text")
    long = "x" * 3_000_000
    sent = [echo.send(session, {"text": long}) for _ in range(4)]
    assert all(each.rows() == [(long,)] for each in sent)


def test_a_lost_connection_is_an_error_and_the_next_transaction_has_another(
    engine: Engine, session: Session
) -> None:
    add(session, 1)
    (pid,) = Statement("SELECT pg_backend_pid()").rows(session, {})[0]
    killer = create_engine(engine.url)
    with killer.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    killer.dispose()
    with pytest.raises(exc.OperationalError):
        numbers(session)
    session.rollback()
    assert SHARE.row(session, {"number": 3}) == (1,)


def test_outside_of_a_transaction_a_write_is_done_at_once(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        ADD.run(connection, {"number": 1})
    with Session(engine) as session:
        assert numbers(session) == [1]

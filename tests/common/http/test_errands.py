"""Effects of two transactions under an Idempotency-Key: once, whoever fails or dies halfway."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from flask import Flask
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from common.http.test_idempotency import USER, code_of, effects
from factories.polling import wait_until
from factories.sample_service import Halfway
from factories.tokens import bearer
from igloo_common.errors import Unavailable
from igloo_common.web import provided


def run(app: Flask, key: str | None = "k1", body: bytes = b"snow") -> TestResponse:
    headers = {**bearer(USER), **({} if key is None else {"Idempotency-Key": key})}
    return app.test_client().post("/v1/errands", data=body, headers=headers)


@pytest.fixture
def halfway(app: Flask) -> Halfway:
    """Give what happens between the transactions."""
    with app.app_context():
        return provided(Halfway)


def failing() -> None:
    raise Unavailable("Whom it asks is away.")


def test_without_a_key_every_errand_has_its_effect(app: Flask, engine: Engine) -> None:
    assert [run(app, None).status_code for _ in range(2)] == [201, 201]
    assert effects(engine) == 2


def test_the_same_errand_again_gets_the_first_reply(app: Flask, engine: Engine) -> None:
    first, again = run(app), run(app)

    assert (again.status_code, again.data) == (first.status_code, first.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert code_of(run(app, body=b"rain")) == (422, "idempotency_key_reused")
    assert code_of(run(app, "a b")) == (422, "invalid_idempotency_key")
    assert effects(engine) == 1


def test_what_failed_halfway_is_gone_on_with(app: Flask, engine: Engine, halfway: Halfway) -> None:
    usual, halfway.reached = halfway.reached, failing
    assert code_of(run(app)) == (503, "unavailable")
    halfway.reached = usual

    assert code_of(run(app, body=b"rain")) == (422, "idempotency_key_reused")
    went_on = run(app)

    assert went_on.json == {"went_on_with": "the first"}
    assert "Idempotency-Replayed" not in went_on.headers
    assert run(app).headers["Idempotency-Replayed"] == "true"
    assert effects(engine) == 1


def test_while_the_first_is_halfway_the_second_is_told_so_and_no_transaction_waits(
    app: Flask, engine: Engine, halfway: Halfway
) -> None:
    there, go_on = Event(), Event()
    halfway.reached = both(there.set, lambda: go_on.wait(20))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(run, app)
        assert there.wait(20)
        seen = [code_of(run(app)), code_of(run(app, body=b"rain"))]
        waiting = in_transactions(engine)
        go_on.set()

    assert first.result(20).status_code == 201
    assert (seen, waiting) == ([(409, "idempotency_key_in_use")] * 2, 0)
    assert run(app).headers["Idempotency-Replayed"] == "true"


def test_a_holder_whose_connection_is_lost_keeps_nobody_from_going_on(
    app: Flask, engine: Engine, halfway: Halfway
) -> None:
    usual, there, go_on = halfway.reached, Event(), Event()
    halfway.reached = both(there.set, lambda: go_on.wait(20))
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(run, app)
        assert there.wait(20)
        halfway.reached = usual
        end_holders(engine)
        wait_until(lambda: run(app).status_code == 201, "the next one goes on")
        go_on.set()
        lost.result(20)

    assert effects(engine) == 1


def both(first: Callable[[], object], second: Callable[[], object]) -> Callable[[], None]:
    """Do one after the other."""

    def do() -> None:
        first()
        second()

    return do


def in_transactions(engine: Engine) -> int:
    """Count the transactions that wait for their client."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.scalar(text(query)) or 0


def end_holders(engine: Engine) -> None:
    """End the connections that hold advisory locks."""
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )
    with engine.connect() as connection:
        assert connection.execute(text(query)).all()

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from factories.sample_service import sample_app
from igloo_common.database import reading, transaction
from igloo_common.rate_limits import (
    Allowance,
    RateLimit,
    address_subject,
    ask_to_take,
    give_back,
    look,
    prune_rate_limits,
    take,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIVE_A_MINUTE = RateLimit(name="knocks", quota=5)
WAITING = text("""
SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
""")


def took(
    app: Flask, limit: RateLimit = FIVE_A_MINUTE, *, subject: str = "hare", after: float = 0, count: int = 1
) -> Allowance:
    """Take one or several, this many seconds after the start."""
    with app.app_context(), reading() as connection:
        return take(connection, limit, subject=subject, now=NOW + timedelta(seconds=after), count=count)


def looked(app: Flask, *, after: float = 0) -> Allowance:
    """Look without taking."""
    with app.app_context(), reading() as connection:
        return look(connection, FIVE_A_MINUTE, subject="hare", now=NOW + timedelta(seconds=after))


def answers(app: Flask, *, times: int, after: float = 0) -> list[bool]:
    """Take several at one moment."""
    return [took(app, after=after).allowed for _ in range(times)]


def test_the_quota_may_be_used_at_once_and_no_more(app: Flask) -> None:
    took(app, subject="puffin")

    taken = [took(app) for _ in range(7)]

    assert [one.allowed for one in taken] == [True] * 5 + [False] * 2
    assert [one.remaining for one in taken] == [4, 3, 2, 1, 0, 0, 0]
    assert took(app, subject="puffin").remaining == 3
    assert took(app, RateLimit(name="steps", quota=5)).remaining == 4


def test_what_was_used_comes_back_evenly(app: Flask) -> None:
    answers(app, times=5)

    assert answers(app, times=2, after=11.9) == [False, False]
    assert answers(app, times=2, after=12) == [True, False]
    assert answers(app, times=3, after=36) == [True, True, False]
    assert answers(app, times=6, after=1000) == [True] * 5 + [False]


def test_the_seconds_say_when_there_is_one_more(app: Flask) -> None:
    seconds = [took(app).reset_seconds for _ in range(6)]

    assert seconds == [12] * 6
    assert took(app, after=1.5).reset_seconds == 11
    assert took(app, after=11.999).reset_seconds == 1


@pytest.mark.parametrize("quota", [1, 7, 60, 1_000_000])
def test_every_quota_is_given_whole(app: Flask, quota: int) -> None:
    limit = RateLimit(name="knocks", quota=quota)

    first = took(app, limit)

    assert (first.allowed, first.remaining) == (True, quota - 1)
    assert limit.cost * quota <= limit.window


def test_a_refusal_does_not_make_the_wait_longer(app: Flask) -> None:
    answers(app, times=5)

    assert answers(app, times=100, after=11) == [False] * 100
    assert took(app, after=12).allowed


def test_a_clock_that_goes_back_an_hour_keeps_nobody_out_for_an_hour(app: Flask) -> None:
    answers(app, times=3, after=3600)

    assert took(app).allowed is False
    assert took(app, after=12).allowed is True


def test_looking_takes_nothing_and_answers_as_taking_would(app: Flask) -> None:
    assert (looked(app).allowed, looked(app).remaining, looked(app).reset_seconds) == (True, 5, 0)
    answers(app, times=4)

    assert (looked(app).allowed, looked(app).remaining) == (True, 1)
    assert took(app).allowed
    assert (looked(app).allowed, looked(app).reset_seconds) == (False, 12)
    assert (looked(app, after=12).allowed, looked(app, after=3600).remaining) == (True, 5)


def test_of_many_at_once_exactly_the_quota_gets_through(app: Flask) -> None:
    limit, threads, each = RateLimit(name="knocks", quota=37), 16, 8
    start = Barrier(threads)

    def knock(_: int) -> list[bool]:
        start.wait(timeout=30)
        return [took(app, limit).allowed for _ in range(each)]

    with ThreadPoolExecutor(threads) as pool:
        outcomes = [allowed for many in pool.map(knock, range(threads)) for allowed in many]

    assert (sum(outcomes), len(outcomes)) == (37, threads * each)


def test_several_at_once_are_taken_whole_or_not_at_all(app: Flask) -> None:
    first, refused, second = (took(app, count=count) for count in (3, 3, 2))

    assert [one.allowed for one in (first, refused, second)] == [True, False, True]
    assert [one.remaining for one in (first, refused, second)] == [2, 2, 0]
    assert refused.reset_seconds == 12, "until there are three"
    assert took(app, count=5, after=59).allowed is False
    assert took(app, count=5, after=60).allowed is True


def test_more_at_once_than_there_may_ever_be_is_a_mistake_of_the_caller(app: Flask) -> None:
    with pytest.raises(ValueError, match="never fit"):
        took(app, count=6)


def test_what_was_taken_too_much_can_be_given_back(app: Flask) -> None:
    took(app, count=2)
    with app.app_context(), transaction() as session:
        asked = ask_to_take(session, FIVE_A_MINUTE, subject="hare", now=NOW, count=3)
        assert asked.allowance().remaining == 0
        left = give_back(session, FIVE_A_MINUTE, subject="hare", now=NOW, count=2)

    assert (left.allowed, left.remaining, left.reset_seconds) == (True, 2, 12)
    assert looked(app).remaining == 2


def test_what_is_taken_in_a_transaction_makes_others_wait_for_its_end(app: Flask) -> None:
    taken: list[Allowance] = []
    with app.app_context(), ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            ask_to_take(session, FIVE_A_MINUTE, subject="hare", now=NOW, count=5).allowance()
            other = pool.submit(lambda: taken.append(took(app)))
            while not session.execute(WAITING).scalar_one():
                assert not other.done(), "it did not wait"
        other.result(timeout=10)

    assert [one.allowed for one in taken] == [False]


def test_full_buckets_are_forgotten_and_the_others_kept(app: Flask) -> None:
    took(app, subject="puffin")
    answers(app, times=2)

    with app.app_context(), transaction() as session:
        pruned = prune_rate_limits(session, now=NOW + timedelta(seconds=12))

    assert pruned == 1
    assert looked(app, after=12).remaining == 4


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_an_address_is_counted_by_its_household(address: str | None, subject: str) -> None:
    assert address_subject(address) == subject


def test_an_allowed_request_says_what_is_left(client: FlaskClient) -> None:
    answer = client.get("/v1/knocks/right")

    assert answer.status_code == 200
    assert answer.headers["RateLimit"] == '"knocks";r=2;t=1200'
    assert answer.headers["RateLimit-Policy"] == '"knocks";q=3;w=3600'
    assert "Retry-After" not in answer.headers


def test_a_refusal_is_a_problem_that_says_when_to_come_again(client: FlaskClient) -> None:
    for _ in range(3):
        client.get("/v1/knocks/right")

    refused = client.get("/v1/knocks/right")

    problem = refused.json or {}
    assert (refused.status_code, problem["code"], problem["error"]) == (429, "rate_limited", "too_loud")
    # The draft: Retry-After is not before the end of the window that RateLimit speaks of.
    assert refused.headers["RateLimit"] == f'"knocks";r=0;t={refused.headers["Retry-After"]}'
    assert 1190 <= int(refused.headers["Retry-After"]) <= 1200


def test_a_request_that_fails_is_counted_and_every_limit_that_was_charged_is_named(
    client: FlaskClient,
) -> None:
    failed = client.get("/v1/knocks/wrong")

    assert failed.status_code == 409
    assert failed.headers["RateLimit"] == '"knocks";r=2;t=1200, "wrong-knocks";r=1;t=1800'
    assert failed.headers["RateLimit-Policy"] == '"knocks";q=3;w=3600, "wrong-knocks";q=2;w=3600'
    assert client.get("/v1/knocks/right").headers["RateLimit"].startswith('"knocks";r=1;')


def test_what_is_charged_elsewhere_refuses_too_once_it_is_used_up(client: FlaskClient) -> None:
    for _ in range(2):
        client.get("/v1/knocks/wrong")

    refused = client.get("/v1/knocks/right")

    assert refused.status_code == 429
    assert '"wrong-knocks";r=0;' in refused.headers["RateLimit"]


def test_another_address_has_a_limit_of_its_own(client: FlaskClient) -> None:
    for _ in range(4):
        client.get("/v1/knocks/right")

    elsewhere = client.get("/v1/knocks/right", environ_overrides={"REMOTE_ADDR": "2001:db8::1"})
    next_door = client.get("/v1/knocks/right", environ_overrides={"REMOTE_ADDR": "2001:db8::2"})

    assert elsewhere.headers["RateLimit"].startswith('"knocks";r=2;')
    assert next_door.headers["RateLimit"].startswith('"knocks";r=1;')


def test_no_address_is_stored(client: FlaskClient, engine: Engine) -> None:
    client.get("/v1/knocks/right")
    client.get("/v1/knocks/wrong")

    with engine.connect() as connection:
        subjects = connection.execute(text("SELECT subject FROM rate_limits")).scalars().all()

    assert len(set(subjects)) == 2
    assert all(
        len(subject) == 32 and "127" not in bytes.fromhex(subject).decode("latin-1") for subject in subjects
    )


def test_without_a_database_a_limited_request_fails_as_it_would_anyway() -> None:
    answer = sample_app().test_client().get("/v1/knocks/right")

    assert (answer.status_code, (answer.json or {})["code"]) == (503, "unavailable")


def test_limits_are_documented(client: FlaskClient) -> None:
    operation = (client.get("/openapi.json").json or {})["paths"]["/v1/knocks/{outcome}"]["get"]

    allowed, refused = operation["responses"]["200"], operation["responses"]["429"]
    assert set(allowed["headers"]) == {"RateLimit", "RateLimit-Policy"}
    assert set(refused["headers"]) == {"RateLimit", "RateLimit-Policy", "Retry-After"}
    assert refused["content"]["application/problem+json"]["schema"] == {
        "$ref": "#/components/schemas/Problem"
    }
    assert allowed["headers"]["RateLimit"]["schema"] == {"type": "string"}

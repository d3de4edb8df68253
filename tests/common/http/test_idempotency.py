from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from factories.polling import wait_until
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.idempotency import KEPT_FOR, prune_idempotency_keys
from igloo_common.ids import new_id

USER = new_id()


def keep(
    client: FlaskClient, key: str | None, note: str = "hi", *, user: UUID = USER, path: str = "/v1/notes"
) -> TestResponse:
    headers = {**bearer(user), **({} if key is None else {"Idempotency-Key": key})}
    return client.post(path, json={"text": note}, headers=headers)


def effects(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM effects")) or 0


def code_of(reply: TestResponse) -> tuple[int, str]:
    return reply.status_code, (reply.json or {})["code"]


def test_without_a_key_every_request_has_its_effect(client: FlaskClient, engine: Engine) -> None:
    for _ in range(2):
        assert keep(client, None).status_code == 201

    assert effects(engine) == 2


def test_the_same_request_again_gets_the_first_reply(client: FlaskClient, engine: Engine) -> None:
    first, second = keep(client, "k1"), keep(client, "k1")

    assert effects(engine) == 1
    assert (second.status_code, second.data) == (first.status_code, first.data) == (201, first.data)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.content_type == first.content_type
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]


def test_another_body_under_the_same_key_is_refused(client: FlaskClient, engine: Engine) -> None:
    keep(client, "k1")

    assert code_of(keep(client, "k1", "other")) == (422, "idempotency_key_reused")
    assert effects(engine) == 1


def test_the_same_body_at_another_address_is_another_request(client: FlaskClient, engine: Engine) -> None:
    first, second = (f"/v1/notes/{new_id()}/copies" for _ in range(2))

    assert keep(client, "k1", path=first).status_code == 201
    assert code_of(keep(client, "k1", path=second)) == (422, "idempotency_key_reused")
    assert keep(client, "k1").status_code == 201, "another route has keys of its own"
    assert effects(engine) == 2


def test_people_do_not_share_keys(client: FlaskClient, engine: Engine) -> None:
    keep(client, "k1")

    reply = keep(client, "k1", user=new_id())

    assert "Idempotency-Replayed" not in reply.headers
    assert effects(engine) == 2


@pytest.mark.parametrize("refusal", ["refused", "refused by reply"])
def test_a_refusal_is_not_kept(client: FlaskClient, engine: Engine, refusal: str) -> None:
    assert keep(client, "k1", refusal).status_code == 409

    reply = keep(client, "k1", "hi")

    assert reply.status_code == 201
    assert "Idempotency-Replayed" not in reply.headers


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "schlüssel", "a\tb"])
def test_a_key_is_visible_ascii(client: FlaskClient, key: str) -> None:
    assert code_of(keep(client, key)) == (422, "invalid_idempotency_key")


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted-as-the-draft-says"'])
def test_any_visible_ascii_is_a_key(client: FlaskClient, key: str) -> None:
    assert keep(client, key).status_code == 201


def test_while_the_first_is_worked_on_the_second_is_told_so(app: Flask, engine: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with _effects_held_back(engine) as waiting:
            first = pool.submit(lambda: keep(app.test_client(), "k1"))
            wait_until(waiting, "the first request reaches its effect")

            assert code_of(keep(app.test_client(), "k1")) == (409, "idempotency_key_in_use")
            assert code_of(keep(app.test_client(), "k1", "other")) == (409, "idempotency_key_in_use")

        assert first.result(10).status_code == 201
    assert keep(app.test_client(), "k1").headers["Idempotency-Replayed"] == "true"


def test_of_many_at_once_one_has_the_effect(app: Flask, engine: Engine) -> None:
    barrier = Barrier(6)

    def send(_: int) -> TestResponse:
        barrier.wait(10)
        return keep(app.test_client(), "k1")

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(send, range(6)))

    assert effects(engine) == 1
    assert {reply.status_code for reply in replies} <= {201, 409}
    fresh = [r for r in replies if r.status_code == 201 and "Idempotency-Replayed" not in r.headers]
    assert len(fresh) == 1


def test_after_a_day_a_key_is_new_again(client: FlaskClient, engine: Engine) -> None:
    keep(client, "k1")
    _age(engine, KEPT_FOR + timedelta(seconds=1))

    reply = keep(client, "k1", "something else")

    assert reply.status_code == 201
    assert effects(engine) == 2
    assert keep(client, "k1", "something else").headers["Idempotency-Replayed"] == "true"


def test_pruning_takes_what_is_older_than_a_day(client: FlaskClient, engine: Engine) -> None:
    keep(client, "old")
    _age(engine, KEPT_FOR + timedelta(seconds=1))
    keep(client, "fresh")

    with Session(engine) as session, session.begin():
        assert prune_idempotency_keys(session, now=utc_now()) == 1

    assert keep(client, "fresh").headers["Idempotency-Replayed"] == "true"


def _age(engine: Engine, by: timedelta) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE idempotency_keys SET created_at = created_at - :by"), {"by": by})


@contextmanager
def _effects_held_back(engine: Engine) -> Iterator[Callable[[], bool]]:
    """Hold every insert of an effect back until the block ends; gives a way to ask whether one waits."""
    with engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE effects IN SHARE MODE"))
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'effects'::regclass")
        yield lambda: bool(connection.scalar(waiting))

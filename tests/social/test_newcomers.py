"""People who have just signed in can be found before the event of their account has come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event, Semaphore
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from factories.social_people import make_person
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.api import newcomers
from igloo_social.api.newcomers import NEWCOMER_FOR, is_newcomer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def id_made_at(moment: datetime) -> UUID:
    """Return a UUIDv7 that says it was made then."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (0b10 << 62) | 42)


@pytest.mark.parametrize(
    ("user_id", "expected"),
    [
        (id_made_at(NOW), True),
        (id_made_at(NOW - NEWCOMER_FOR / 2), True),
        (id_made_at(NOW - NEWCOMER_FOR - timedelta(seconds=1)), False),
        (id_made_at(NOW + NEWCOMER_FOR + timedelta(seconds=1)), False),
        (id_made_at(datetime(9999, 1, 1, tzinfo=UTC)), False),
        (uuid4(), False),
        (UUID(int=(2**48 - 1) << 80 | 7 << 76), False),
    ],
)
def test_only_an_id_made_a_moment_ago_may_be_a_newcomers(user_id: UUID, expected: bool) -> None:
    assert is_newcomer(user_id, now=NOW) is expected


def test_a_person_whose_account_has_not_come_yet_is_waited_for(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, newcomer = make_person(session), new_id()
    session.commit()

    def account_arrives(_seconds: float) -> None:
        make_person(session, user_id=newcomer)
        session.commit()

    monkeypatch.setattr(newcomers, "PATIENCE_SECONDS", 20.0)
    monkeypatch.setattr(newcomers, "sleep", account_arrives)

    answer = client.put(f"/v1/users/{newcomer}/follow", headers=bearer(reader))

    assert (answer.status_code, answer.json and answer.json["following"]) == (200, True)


def test_who_never_comes_is_not_found_after_a_moment(
    client: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomers, "PATIENCE_SECONDS", 0.1)
    reader = make_person(session)
    session.commit()

    answer = client.get(f"/v1/users/{new_id()}", headers=bearer(reader))

    assert (answer.status_code, answer.get_json()["code"]) == (404, "user_not_found")


def test_made_up_ids_do_not_keep_all_threads_waiting(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, waiting, goes_on = make_person(session), Semaphore(0), Event()
    session.commit()

    def wait(_seconds: float) -> None:
        waiting.release()
        goes_on.wait(20)

    def ask() -> int:
        return app.test_client().get(f"/v1/users/{new_id()}", headers=bearer(reader)).status_code

    monkeypatch.setattr(newcomers, "PATIENCE_SECONDS", 5.0)
    monkeypatch.setattr(newcomers, "sleep", wait)
    with ThreadPoolExecutor(max_workers=3) as pool:
        patient = [pool.submit(ask) for _ in range(2)]
        try:
            assert all(waiting.acquire(timeout=20) for _ in patient)

            assert pool.submit(ask).result(timeout=10) == 404
            assert not waiting.acquire(blocking=False)
            assert not any(asked.done() for asked in patient)
        finally:
            monkeypatch.setattr(newcomers, "PATIENCE_SECONDS", 0.0)
            monkeypatch.setattr(newcomers, "is_newcomer", lambda *_, **__: False)
            goes_on.set()
    assert [asked.result() for asked in patient] == [404, 404]

    # Both seats are free again.
    assert all(newcomers._SEATS.acquire(blocking=False) for _ in patient)
    newcomers._SEATS.release(2)

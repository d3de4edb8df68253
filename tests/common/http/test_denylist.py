from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from factories.clocks import HandClock
from factories.sample_service import NOWHERE
from factories.tokens import bearer, token_for
from igloo_common.clock import utc_now
from igloo_common.denylist import Denylist, deny_session, prune_denied_sessions
from igloo_common.ids import new_id
from igloo_common.wiring import wiring_of


def deny(engine: Engine, session_id: UUID, *, minutes: float = 10) -> None:
    with Session(engine) as session, session.begin():
        deny_session(session, session_id, utc_now() + timedelta(minutes=minutes))


def test_a_denied_session_is_known_after_a_second(engine: Engine) -> None:
    clock, session, other = HandClock(), new_id(), new_id()
    denylist = Denylist(engine, monotonic=clock)
    assert not denylist.denies(session)

    deny(engine, session)

    assert not denylist.denies(session), "the copy is read once a second, not once a request"
    clock.now += 1.0
    assert denylist.denies(session)
    assert not denylist.denies(other)


def test_a_session_is_forgotten_when_its_last_token_has_expired(engine: Engine) -> None:
    past, present = new_id(), new_id()
    deny(engine, past, minutes=-1)
    deny(engine, present)

    assert not Denylist(engine).denies(past)
    with Session(engine) as session, session.begin():
        assert prune_denied_sessions(session, now=utc_now()) == 1
    assert Denylist(engine).denies(present)


def test_denying_twice_keeps_the_later_end(engine: Engine) -> None:
    session = new_id()
    deny(engine, session, minutes=10)
    deny(engine, session, minutes=-1)

    assert Denylist(engine).denies(session)


def test_the_last_copy_stays_in_force_while_the_database_is_down(engine: Engine) -> None:
    clock, session = HandClock(), new_id()
    deny(engine, session)
    denylist = Denylist(engine, monotonic=clock)
    assert denylist.denies(session)

    denylist._engine = create_engine(NOWHERE.replace("postgresql", "postgresql+psycopg"))
    clock.now += 60

    assert denylist.denies(session)
    assert not denylist.denies(new_id())


def test_without_any_copy_nothing_is_vouched_for() -> None:
    denylist = Denylist(create_engine(NOWHERE.replace("postgresql", "postgresql+psycopg")))

    with pytest.raises(OperationalError):
        denylist.denies(new_id())


def test_a_revoked_session_is_401_though_its_token_was_remembered(
    app: Flask, client: FlaskClient, engine: Engine
) -> None:
    clock, session = HandClock(), new_id()
    wiring_of(app).verifier._denylist = Denylist(engine, monotonic=clock)
    token = {"Authorization": f"Bearer {token_for(new_id(), session_id=session)}"}
    assert client.get("/v1/me", headers=token).status_code == 200

    deny(engine, session)
    clock.now += 1.0

    reply = client.get("/v1/me", headers=token)
    assert (reply.status_code, (reply.json or {})["code"]) == (401, "session_revoked")
    assert client.get("/v1/me", headers=bearer(new_id())).status_code == 200

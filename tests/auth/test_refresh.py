"""Refresh tokens under retries, races and theft: rule 9 of the domain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.sessions import DeviceSession

MakePhone = Callable[[], Phone]
RACERS = 20


@pytest.fixture
def impatient(make_app: Callable[..., Flask], facebook: FacebookServer) -> MakePhone:
    """Return a maker of phones at a service that gives no grace to used-up tokens."""
    app = make_app(IGLOO_REFRESH_GRACE_SECONDS="0")

    def sign_in() -> Phone:
        return Phone.signed_in(app.test_client(), facebook.token(facebook.person()))

    return sign_in


def live_tokens(session: Session, phone: Phone) -> int:
    """Count the tokens of a phone's session that were not exchanged yet."""
    session.rollback()
    live = select(func.count()).where(
        RefreshToken.session_id == phone.session_id, RefreshToken.rotated_at.is_(None)
    )
    return session.scalar(live) or 0


def test_a_refresh_gives_a_new_pair_for_the_same_session(phone: Phone, session: Session) -> None:
    before = dict(phone.granted)

    phone.refresh()

    assert phone.granted["refresh_token"] != before["refresh_token"]
    assert phone.granted["access_token"] != before["access_token"]
    assert (phone.user_id, phone.session_id) == (before["user_id"], before["session_id"])
    assert live_tokens(session, phone) == 1


def test_the_database_holds_no_token_in_clear(phone: Phone, session: Session) -> None:
    first = phone.refresh_token
    phone.refresh()

    rows = session.scalars(select(RefreshToken)).all()

    stored = b"".join(row.token_hash + (row.sealed_successor or b"") for row in rows)
    assert first.encode() not in stored
    assert phone.refresh_token.encode() not in stored


def test_a_lost_answer_is_asked_for_again_and_again_and_is_the_same(phone: Phone) -> None:
    answers = [phone.try_refresh().json or {} for _ in range(3)]

    assert len({answer["refresh_token"] for answer in answers}) == 1
    phone.granted = answers[0]
    phone.refresh()


def test_a_retry_gives_the_same_successor_however_late_if_that_was_never_used(impatient: MakePhone) -> None:
    phone = impatient()

    first, again = phone.try_refresh(), phone.try_refresh()

    assert (again.status_code, again.json and again.json["refresh_token"]) == (
        200,
        first.json and first.json["refresh_token"],
    )


def test_a_retry_within_the_grace_gives_the_same_successor_even_after_that_was_used(phone: Phone) -> None:
    first = phone.refresh_token
    phone.refresh()
    second = phone.refresh_token
    phone.refresh()
    third = phone.refresh_token

    assert (phone.try_refresh(first).json or {})["refresh_token"] == second
    assert (phone.try_refresh(second).json or {})["refresh_token"] == third


def test_racing_refreshes_leave_one_live_successor_and_log_nobody_out(
    app: Flask, phone: Phone, session: Session
) -> None:
    start = Barrier(RACERS)

    def race(token: str) -> tuple[int, str]:
        racer = Phone(client=app.test_client(), granted=phone.granted)
        start.wait(timeout=30)
        answer = racer.try_refresh(token)
        return answer.status_code, str((answer.json or {}).get("refresh_token"))

    with ThreadPoolExecutor(RACERS) as pool:
        for _round in range(5):
            outcomes = set(pool.map(race, [phone.refresh_token] * RACERS))

            assert [status for status, _ in outcomes] == [200], outcomes
            assert live_tokens(session, phone) == 1
            phone.granted["refresh_token"] = outcomes.pop()[1]
    phone.refresh()
    assert published(session, "auth.session.revoked.v1") == []


def test_racing_phones_that_each_go_on_with_what_they_got_stay_signed_in(
    app: Flask, phone: Phone, session: Session
) -> None:
    def refresh_three_times(_: int) -> int:
        mine = Phone(client=app.test_client(), granted=dict(phone.granted))
        for _step in range(3):
            mine.refresh()
        return mine.get("/v1/account").status_code

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(refresh_three_times, range(10)))

    assert outcomes == [200] * 10
    assert live_tokens(session, phone) == 1


def test_a_reuse_after_the_grace_ends_the_session_says_why_and_tells_the_others(
    impatient: MakePhone, session: Session
) -> None:
    phone, bystander = impatient(), impatient()
    stolen = phone.refresh_token
    phone.refresh()
    used_successor = phone.refresh_token
    phone.refresh()

    refused = phone.try_refresh(stolen)

    assert (refused.status_code, (refused.json or {})["code"], (refused.json or {})["error"]) == (
        400,
        "refresh_token_reused",
        "invalid_grant",
    )
    ended = session.get_one(DeviceSession, phone.session_id)
    assert ended.revoked_reason == "refresh_token_reused"
    [event] = published(session, "auth.session.revoked.v1")
    assert event.aggregate_key == f"session:{phone.session_id}"
    assert (event.data["session_id"], event.data["account_id"], event.data["reason"]) == (
        phone.session_id,
        phone.user_id,
        "refresh_token_reused",
    )
    assert event.data["denied_until"] > event.data["revoked_at"]
    for token in (stolen, used_successor, phone.refresh_token):
        answer = phone.try_refresh(token).json or {}
        assert (answer["code"], answer["reason"]) == ("session_revoked", "refresh_token_reused")
    assert len(published(session, "auth.session.revoked.v1")) == 1
    bystander.refresh()


def test_racing_thieves_end_a_session_once(
    impatient: MakePhone, session: Session, facebook: FacebookServer
) -> None:
    phone = impatient()
    stolen = phone.refresh_token
    phone.refresh()
    phone.refresh()
    application = phone.client.application

    def steal(_: int) -> str:
        thief = Phone(client=application.test_client(), granted={})
        return str((thief.try_refresh(stolen).json or {})["code"])

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(steal, range(8)))

    assert sorted(codes) == ["refresh_token_reused", *["session_revoked"] * 7]
    assert len(published(session, "auth.session.revoked.v1")) == 1


def test_an_unknown_token_is_refused_by_name(client: FlaskClient, phone: Phone) -> None:
    answer = phone.try_refresh("A" * 43)

    assert (answer.status_code, (answer.json or {})["code"], (answer.json or {})["error"]) == (
        400,
        "refresh_token_invalid",
        "invalid_grant",
    )


def test_an_access_token_is_no_refresh_token(phone: Phone) -> None:
    answer = phone.try_refresh(phone.granted["access_token"])

    assert (answer.json or {})["code"] == "refresh_token_invalid"


def test_a_token_past_its_time_is_refused_by_name(phone: Phone, session: Session) -> None:
    for token in session.scalars(select(RefreshToken)):
        token.expires_at = token.issued_at
    session.commit()

    answer = phone.try_refresh()

    assert (answer.status_code, (answer.json or {})["code"]) == (400, "refresh_token_expired")


def test_a_refresh_pushes_the_end_of_the_session_out(phone: Phone, session: Session) -> None:
    before = session.get_one(DeviceSession, phone.session_id).expires_at
    session.rollback()

    phone.refresh()

    session.expire_all()
    after = session.get_one(DeviceSession, phone.session_id)
    assert after.expires_at > before
    assert after.last_seen_at > after.created_at


def test_a_changed_secret_key_logs_nobody_out(
    make_app: Callable[..., Flask], facebook: FacebookServer
) -> None:
    before = make_app().test_client()
    phone = Phone.signed_in(before, facebook.token(facebook.person()))
    answer = phone.try_refresh().json or {}

    phone.client = make_app(SECRET_KEY="another-test-key-that-opens-nothing-either").test_client()

    assert (phone.try_refresh().json or {})["refresh_token"] == answer["refresh_token"]

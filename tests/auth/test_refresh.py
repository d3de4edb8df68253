"""Refresh tokens under retries, races and theft: rule 9 of the domain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone
from auth.processes import WEB, free_port, running
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.grants import Grant
from igloo_auth.operations.pruning import erase_seals, prune_refresh_tokens
from igloo_auth.operations.refresh_secrets import hash_refresh_token
from igloo_auth.operations.refresh_tokens import exchange_refresh_token
from igloo_auth.settings import TokenLifetimes
from igloo_common.clock import utc_now
from igloo_common.database import transaction

MakePhone = Callable[[], Phone]
LIFETIMES = TokenLifetimes(access_seconds=600, refresh_seconds=60 * 24 * 3600, reuse_grace_seconds=60)
RACERS = 50
# Every racer refreshes more often than one device ever should.
UNLIMITED = {"IGLOO_REFRESHES_PER_SESSION": "1000000", "IGLOO_TOKENS_PER_ADDRESS": "1000000"}


@pytest.fixture
def impatient(make_app: Callable[..., Flask], facebook: FacebookServer) -> MakePhone:
    """Return a maker of phones at a service that gives no grace to used-up tokens."""
    app = make_app(IGLOO_REFRESH_GRACE_SECONDS="0")

    def sign_in() -> Phone:
        return Phone.signed_in(app.test_client(), facebook.token(facebook.person()))

    return sign_in


@pytest.fixture
def racing_app(make_app: Callable[..., Flask]) -> Flask:
    """Make a service with a connection for each racer, in which only the rows are raced for."""
    return make_app(IGLOO_THREADS=str(RACERS), **UNLIMITED)


@pytest.fixture
def racer(racing_app: Flask, facebook: FacebookServer) -> Phone:
    """Sign a phone in to that service."""
    return Phone.signed_in(racing_app.test_client(), facebook.token(facebook.person()))


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
    racing_app: Flask, racer: Phone, session: Session
) -> None:
    start = Barrier(RACERS)

    def race(token: str) -> tuple[int, str]:
        rival = Phone(client=racing_app.test_client(), granted=racer.granted)
        start.wait(timeout=30)
        answer = rival.try_refresh(token)
        return answer.status_code, str((answer.json or {}).get("refresh_token"))

    with ThreadPoolExecutor(RACERS) as pool:
        for _round in range(4):
            outcomes = set(pool.map(race, [racer.refresh_token] * RACERS))

            assert [status for status, _ in outcomes] == [200], outcomes
            assert live_tokens(session, racer) == 1
            racer.granted["refresh_token"] = outcomes.pop()[1]
    racer.refresh()
    assert published(session, "auth.session.revoked.v1") == []


def test_racing_phones_that_each_go_on_with_what_they_got_stay_signed_in(
    racing_app: Flask, racer: Phone, session: Session
) -> None:
    start = Barrier(RACERS)

    def refresh_three_times(_: int) -> int:
        mine = Phone(client=racing_app.test_client(), granted=dict(racer.granted))
        start.wait(timeout=30)
        for _step in range(3):
            mine.refresh()
        return mine.get("/v1/account").status_code

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = list(pool.map(refresh_three_times, range(RACERS)))

    assert outcomes == [200] * RACERS
    assert live_tokens(session, racer) == 1
    assert published(session, "auth.session.revoked.v1") == []


def test_racing_refreshes_of_two_processes_with_few_threads_are_all_answered_alike(
    environ: dict[str, str], facebook: FacebookServer, session: Session
) -> None:
    address = f"127.0.0.1:{free_port()}"
    small = {"IGLOO_WEB_BIND": address, "IGLOO_WEB_WORKERS": "2", "IGLOO_THREADS": "4"}
    proof = {"facebook_access_token": facebook.token(facebook.person())}
    start = Barrier(RACERS)

    def ask(parameters: dict[str, str]) -> requests.Response:
        return requests.post(f"http://{address}/v1/auth/token", data=parameters, timeout=30)

    def race(token: str) -> tuple[int, str]:
        start.wait(timeout=30)
        answer = ask({"grant_type": "refresh_token", "refresh_token": token})
        return answer.status_code, str(answer.json().get("refresh_token"))

    with running(WEB, {**environ, **small, **UNLIMITED}, ready_at=f"http://{address}/readyz"):
        granted = ask({"grant_type": "facebook_access_token", **proof}).json()
        token, session_id = granted["refresh_token"], granted["session_id"]
        with ThreadPoolExecutor(RACERS) as pool:
            for _round in range(3):
                outcomes = set(pool.map(race, [token] * RACERS))
                assert [status for status, _ in outcomes] == [200], outcomes
                token = outcomes.pop()[1]

    live = session.scalars(select(RefreshToken.token_hash).where(RefreshToken.rotated_at.is_(None))).all()
    assert live == [hash_refresh_token(token)]
    assert session.get_one(DeviceSession, UUID(session_id)).revoked_at is None


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


def test_the_person_sees_on_another_device_which_token_was_stolen(
    make_app: Callable[..., Flask], facebook: FacebookServer
) -> None:
    client = make_app(IGLOO_REFRESH_GRACE_SECONDS="0").test_client()
    person = facebook.person()
    robbed, other = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))
    stolen = robbed.refresh_token
    robbed.refresh()
    robbed.refresh()
    robbed.try_refresh(stolen)

    ended = (other.get("/v1/auth/sessions?state=ended").json or {})["data"]
    activity = (other.get("/v1/account/security-events").json or {})["data"]

    assert [(entry["id"], entry["revoked_reason"]) for entry in ended] == [
        (robbed.session_id, "refresh_token_reused")
    ]
    assert (activity[0]["kind"], activity[0]["session_id"]) == ("refresh_token_reused", robbed.session_id)
    other.refresh()


def test_a_retry_works_after_the_tokens_own_end_because_its_successor_lives(
    phone: Phone, session: Session
) -> None:
    issued = session.scalars(select(RefreshToken)).one()
    # As late as can be: the token would have ended within the second.
    issued.expires_at = utc_now() + timedelta(seconds=1)
    session.commit()
    lost = phone.try_refresh().json or {}
    assert lost["refresh_expires_in"] > 1000

    with phone.client.application.app_context(), transaction() as later:
        kept = exchange_refresh_token(
            later,
            token=phone.refresh_token,
            network=None,
            lifetimes=LIFETIMES,
            now=utc_now() + timedelta(days=30),
        )
        pruned = prune_refresh_tokens(later, now=utc_now() + timedelta(days=30))

    assert isinstance(kept, Grant)
    assert (kept.refresh_token, pruned) == (lost["refresh_token"], 0)


@pytest.mark.parametrize("hours", [-1, -48])
def test_a_clock_that_goes_back_signs_nobody_out(phone: Phone, hours: int) -> None:
    first = phone.refresh_token
    phone.refresh()
    second = phone.refresh_token
    phone.refresh()
    earlier = utc_now() + timedelta(hours=hours)

    with phone.client.application.app_context(), transaction() as before:
        outcomes = [
            exchange_refresh_token(before, token=token, network=None, lifetimes=LIFETIMES, now=earlier)
            for token in (phone.refresh_token, first)
        ]

    [newest, retried] = outcomes
    assert isinstance(newest, Grant)
    assert isinstance(retried, Grant)
    assert retried.refresh_token == second
    phone.granted["refresh_token"] = newest.refresh_token
    phone.refresh()


def test_a_longer_grace_does_not_take_earlier_exchanges_for_theft(
    make_app: Callable[..., Flask], phone: Phone, session: Session
) -> None:
    first = phone.refresh_token
    phone.refresh()
    second = phone.refresh_token
    phone.refresh()
    later = utc_now() + timedelta(minutes=5)
    # What a worker does that still has the old grace, and a clock that is ahead by minutes.
    erase_seals(session, lifetimes=LIFETIMES, now=later)
    session.commit()

    phone.client = make_app(IGLOO_REFRESH_GRACE_SECONDS="600").test_client()

    assert (phone.try_refresh(first).json or {})["refresh_token"] == second


def test_an_exchange_that_is_not_committed_leaves_the_token_as_it_was(phone: Phone, session: Session) -> None:
    undone = exchange_refresh_token(
        session, token=phone.refresh_token, network=None, lifetimes=LIFETIMES, now=utc_now()
    )
    assert isinstance(undone, Grant)
    # The process dies here.
    session.rollback()

    before = phone.refresh_token
    phone.refresh()

    assert phone.refresh_token not in (before, undone.refresh_token)
    assert live_tokens(session, phone) == 1


def test_a_database_that_is_too_busy_is_a_503_that_leaves_the_phone_signed_in(
    phone: Phone, session: Session
) -> None:
    session.get_one(DeviceSession, UUID(phone.session_id), with_for_update=True)

    refused = phone.try_refresh()

    assert (refused.status_code, (refused.json or {})["code"]) == (503, "unavailable")
    assert refused.headers["Retry-After"]
    session.rollback()
    phone.refresh()


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

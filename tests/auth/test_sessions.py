"""The devices that a person sees and ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone, ask_token
from factories.waiting import eventually, wait_for_a_waiter
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.sessions import Device
from igloo_auth.operations.sign_ins import sign_in
from igloo_auth.settings import TokenLifetimes
from igloo_common.clock import utc_now

LIFETIMES = TokenLifetimes(access_seconds=600, refresh_seconds=3600, reuse_grace_seconds=60)


def ids(page: dict[str, object]) -> list[str]:
    """Return the ids of a page of sessions."""
    data = page["data"]
    assert isinstance(data, list)
    return [entry["id"] for entry in data]


def test_a_person_sees_their_own_devices_the_latest_first(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    person = facebook.person()
    Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    old = Phone.signed_in(client, facebook.token(person), device_name="Old phone", platform="android")
    new = Phone.signed_in(client, facebook.token(person))

    page = old.get("/v1/auth/sessions").json or {}

    assert ids(page) == [new.session_id, old.session_id]
    shown = page["data"][1]
    assert {**shown, "created_at": "…", "last_seen_at": "…", "expires_at": "…"} == {
        "id": old.session_id,
        "device_name": "Old phone",
        "platform": "android",
        "ip_prefix": "127.0.0.0/24",
        "created_at": "…",
        "last_seen_at": "…",
        "expires_at": "…",
        "revoked_at": None,
        "revoked_reason": None,
        "current": True,
    }
    assert page["data"][0]["current"] is False


def test_the_list_pages_both_ways_without_gaps(client: FlaskClient, facebook: FacebookServer) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(client, facebook.token(person)) for _ in range(5)]
    newest_first = [phone.session_id for phone in reversed(phones)]

    first = phones[0].get("/v1/auth/sessions?limit=2").json or {}
    second = phones[0].get(f"/v1/auth/sessions?limit=2&cursor={first['page']['next_cursor']}").json or {}
    third = phones[0].get(f"/v1/auth/sessions?limit=2&cursor={second['page']['next_cursor']}").json or {}
    back = phones[0].get(f"/v1/auth/sessions?limit=2&cursor={third['page']['prev_cursor']}").json or {}

    assert ids(first) + ids(second) + ids(third) == newest_first
    assert third["page"]["next_cursor"] is None
    assert ids(back) == ids(second)


def test_a_cursor_of_somebody_else_or_of_another_filter_is_refused(
    client: FlaskClient, facebook: FacebookServer, phone: Phone
) -> None:
    stranger = Phone.signed_in(client, facebook.token(facebook.person()))
    cursor = (phone.get("/v1/auth/sessions").json or {})["page"]["prev_cursor"]

    for answer in (
        stranger.get(f"/v1/auth/sessions?cursor={cursor}"),
        phone.get(f"/v1/auth/sessions?state=all&cursor={cursor}"),
    ):
        assert (answer.status_code, (answer.json or {})["code"]) == (400, "invalid_cursor")


def test_a_person_signs_another_device_out(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    lost, mine = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))

    assert mine.delete(f"/v1/auth/sessions/{lost.session_id}").status_code == 204
    assert mine.delete(f"/v1/auth/sessions/{lost.session_id}").status_code == 204

    refused = lost.try_refresh().json or {}
    assert (refused["code"], refused["reason"]) == ("session_revoked", "revoked_by_owner")
    assert [event.data["session_id"] for event in published(session, "auth.session.revoked.v1")] == [
        lost.session_id
    ]
    assert ids(mine.get("/v1/auth/sessions").json or {}) == [mine.session_id]
    ended = mine.get("/v1/auth/sessions?state=ended").json or {}
    assert [(entry["id"], entry["revoked_reason"]) for entry in ended["data"]] == [
        (lost.session_id, "revoked_by_owner")
    ]
    assert ids(mine.get("/v1/auth/sessions?state=all").json or {}) == [mine.session_id, lost.session_id]
    mine.refresh()


def test_a_session_of_somebody_else_is_as_unknown_as_one_that_never_was(
    client: FlaskClient, facebook: FacebookServer, phone: Phone
) -> None:
    stranger = Phone.signed_in(client, facebook.token(facebook.person()))

    answers = [
        stranger.delete(f"/v1/auth/sessions/{session_id}") for session_id in (phone.session_id, uuid4())
    ]

    assert [(answer.status_code, (answer.json or {})["code"]) for answer in answers] == [
        (404, "session_not_found")
    ] * 2
    phone.refresh()


def test_an_unknown_state_is_named(phone: Phone) -> None:
    answer = phone.get("/v1/auth/sessions?state=gone")

    assert (answer.status_code, (answer.json or {})["errors"][0]["pointer"]) == (422, "/state")


def test_nobody_sees_sessions_without_a_token(client: FlaskClient) -> None:
    for answer in (client.get("/v1/auth/sessions"), client.delete(f"/v1/auth/sessions/{uuid4()}")):
        assert (answer.status_code, (answer.json or {})["code"]) == (401, "authentication_required")


def test_a_person_signs_all_other_devices_out(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    lost, older, mine = (Phone.signed_in(client, facebook.token(person)) for _ in range(3))
    bystander = Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    older.delete(f"/v1/auth/sessions/{older.session_id}")

    for _ in range(2):
        assert mine.delete("/v1/auth/sessions?except=current").status_code == 204

    refused = lost.try_refresh().json or {}
    assert (refused["code"], refused["reason"]) == ("session_revoked", "revoked_by_owner")
    revoked = [event.data["session_id"] for event in published(session, "auth.session.revoked.v1")]
    assert revoked == [older.session_id, lost.session_id]
    trail = (mine.get("/v1/account/security-events").json or {})["data"]
    assert [entry["session_id"] for entry in trail if entry["kind"] == "session_revoked"] == [
        lost.session_id,
        older.session_id,
    ]
    mine.refresh()
    bystander.refresh()


def test_a_person_signs_all_devices_out_with_the_one_that_asks(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(client, facebook.token(person)) for _ in range(3)]
    bystander = Phone.signed_in(client, facebook.token(facebook.person("Noise")))

    assert phones[0].delete("/v1/auth/sessions").status_code == 204

    assert {(phone.try_refresh().json or {})["code"] for phone in phones} == {"session_revoked"}
    events = published(session, "auth.session.revoked.v1")
    assert {event.aggregate_key for event in events} == {f"session:{phone.session_id}" for phone in phones}
    denied = session.execute(text("SELECT session_id FROM revoked_sessions")).scalars().all()
    assert sorted(map(str, denied)) == sorted(phone.session_id for phone in phones)
    refused = eventually(
        lambda: phones[1].get("/v1/account"), lambda answer: answer.status_code == 401, what="the refusal"
    )
    assert (refused.json or {})["code"] == "session_revoked"
    bystander.refresh()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("?except=others", "/except"), ("?except=", "/except"), ("?exept=current", "/exept")],
)
def test_a_mistyped_exception_ends_nothing(phone: Phone, query: str, pointer: str) -> None:
    answer = phone.delete(f"/v1/auth/sessions{query}")

    problem = answer.json or {}
    assert (answer.status_code, problem["errors"][0]["pointer"]) == (422, pointer)
    phone.refresh()


def test_sessions_long_expired_are_not_said_to_be_ended_now(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    old, mine = (Phone.signed_in(client, facebook.token(person)) for _ in range(2))
    session.get_one(DeviceSession, UUID(old.session_id)).expires_at = utc_now() - timedelta(days=1)
    session.commit()

    mine.delete("/v1/auth/sessions?except=current")

    assert published(session, "auth.session.revoked.v1") == []


def test_a_sign_in_that_is_under_way_ends_with_the_others(
    app: Flask, client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    phone = Phone.signed_in(client, facebook.token(facebook.person()))
    device = Device(name=None, platform=None, network=None)
    grant = sign_in(
        session,
        account_id=UUID(phone.user_id),
        device=device,
        grant_type="facebook_access_token",
        lifetimes=LIFETIMES,
        now=utc_now(),
    )

    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(phone.delete, "/v1/auth/sessions")
        wait_for_a_waiter(session, ending)  # type: ignore[arg-type]  # a future of a reply
        session.commit()

    assert ending.result().status_code == 204
    ended = session.scalars(select(DeviceSession.revoked_reason)).all()
    assert ended == ["revoked_by_owner"] * 2
    answer = ask_token(client, "refresh_token", refresh_token=grant.refresh_token)
    assert (answer.json or {})["code"] == "session_revoked"


def test_whatever_happens_at_once_nothing_waits_for_ever_and_every_old_session_ends(
    app: Flask, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    phones = [Phone.signed_in(app.test_client(), facebook.token(person)) for _ in range(5)]
    tokens = [facebook.token(person) for _ in phones]
    start = Barrier(3 * len(phones))

    def at_once(work: Callable[[], TestResponse]) -> TestResponse:
        start.wait(timeout=30)
        return work()

    def sign_in_again(token: str) -> TestResponse:
        return ask_token(app.test_client(), "facebook_access_token", facebook_access_token=token)

    def sign_out(phone: Phone) -> TestResponse:
        return app.test_client().post("/v1/auth/revoke", data={"token": phone.refresh_token})

    def all_out(phone: Phone) -> TestResponse:
        return app.test_client().delete("/v1/auth/sessions", headers=phone.authorization)

    work: list[Callable[[], TestResponse]] = []
    for number, phone in enumerate(phones):
        work += [partial(sign_in_again, tokens[number]), partial(all_out, phone)]
        work.append(partial(sign_out, phone) if number % 2 else phone.try_refresh)
    with ThreadPoolExecutor(len(work)) as pool:
        answers = list(pool.map(at_once, work))

    assert {answer.status_code for answer in answers} <= {200, 204, 400, 401}
    reasons = session.execute(
        select(DeviceSession.revoked_reason).where(DeviceSession.id.in_([p.session_id for p in phones]))
    )
    assert set(reasons.scalars()) <= {"revoked_by_owner", "signed_out"}
    events = [event.data["session_id"] for event in published(session, "auth.session.revoked.v1")]
    assert len(events) == len(set(events))
    assert set(events) >= {phone.session_id for phone in phones}

"""The devices that a person sees and ends."""

from __future__ import annotations

from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone


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

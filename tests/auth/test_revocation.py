"""Signing out, RFC 7009's way."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone
from factories.waiting import eventually


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_either_token_signs_the_device_out(
    client: FlaskClient, facebook: FacebookServer, phone: Phone, session: Session, kind: str
) -> None:
    other_device = Phone.signed_in(client, facebook.token(facebook.person()))

    response = client.post("/v1/auth/revoke", data={"token": phone.granted[kind], "token_type_hint": kind})

    assert (response.status_code, response.data) == (200, b"")
    refused = phone.try_refresh().json or {}
    assert (refused["code"], refused["reason"]) == ("session_revoked", "signed_out")
    [event] = published(session, "auth.session.revoked.v1")
    assert (event.data["session_id"], event.data["reason"]) == (phone.session_id, "signed_out")
    other_device.refresh()


def test_the_access_tokens_of_a_signed_out_device_are_refused_within_seconds(
    client: FlaskClient, phone: Phone
) -> None:
    assert phone.get("/v1/account").status_code == 200

    client.post("/v1/auth/revoke", data={"token": phone.refresh_token})

    refused = eventually(
        lambda: phone.get("/v1/account"), lambda answer: answer.status_code == 401, what="the refusal"
    )
    assert (refused.json or {})["code"] == "session_revoked"


def test_a_refresh_token_that_was_exchanged_still_signs_out(client: FlaskClient, phone: Phone) -> None:
    exchanged = phone.refresh_token
    phone.refresh()

    client.post("/v1/auth/revoke", json={"token": exchanged})

    assert (phone.try_refresh().json or {})["code"] == "session_revoked"


def test_an_unknown_token_and_a_second_time_are_answered_alike(
    client: FlaskClient, phone: Phone, session: Session
) -> None:
    answers = [
        client.post("/v1/auth/revoke", data={"token": token})
        for token in ("never-issued", phone.refresh_token, phone.refresh_token)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(published(session, "auth.session.revoked.v1")) == 1


def test_a_request_without_a_token_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v1/auth/revoke", data={"token_type_hint": "refresh_token"})

    problem = answer.json or {}
    assert (answer.status_code, problem["code"], problem["error"]) == (
        400,
        "invalid_request",
        "invalid_request",
    )
    assert [entry["pointer"] for entry in problem["errors"]] == ["/token"]

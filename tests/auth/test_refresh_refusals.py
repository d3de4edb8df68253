"""What is no refresh token, or no longer one, and what a refresh does for its session."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.models.refresh_tokens import RefreshToken
from igloo_auth.models.sessions import DeviceSession


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

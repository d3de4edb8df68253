"""A person's own account."""

from __future__ import annotations

from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.models.accounts import Account


def test_a_person_reads_what_is_held_about_them(client: FlaskClient, facebook: FacebookServer) -> None:
    person = facebook.person("민아 김")
    Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    phone = Phone.signed_in(client, facebook.token(person))

    answer = phone.get("/v1/account")

    body = answer.json or {}
    assert {**body, "created_at": "…", "updated_at": "…"} == {
        "id": phone.user_id,
        "display_name": "민아 김",
        "picture_url": f"http://facebook.test/pictures/{person.id}.svg",
        "facebook_user_id": person.id,
        "created_at": "…",
        "updated_at": "…",
    }


def test_an_account_that_is_gone_is_404_even_for_a_token_that_still_verifies(
    app: Flask, phone: Phone, session: Session
) -> None:
    session.execute(delete(Account).where(Account.id == UUID(phone.user_id)))
    session.commit()

    answer = phone.get("/v1/account")

    assert (answer.status_code, (answer.json or {})["code"]) == (404, "account_not_found")


def test_nobody_reads_an_account_without_a_token(client: FlaskClient) -> None:
    assert client.get("/v1/account").status_code == 401

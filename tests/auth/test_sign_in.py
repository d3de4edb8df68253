"""Signing in with a token of Facebook's SDK."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.facebook_server import OTHER_APP, FacebookServer, answering
from auth.outboxes import published
from auth.phones import Phone, ask_token
from igloo_auth.models.accounts import Account
from igloo_auth.models.sessions import DeviceSession


def sign_in(client: FlaskClient, token: str) -> tuple[int, str, dict[str, object]]:
    """Sign in and return status, code and the whole problem."""
    response = ask_token(client, "facebook_access_token", facebook_access_token=token)
    body = response.json or {}
    return response.status_code, str(body.get("code")), body


def test_a_first_sign_in_makes_an_account_a_session_and_one_event(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person("Snow Hare")

    phone = Phone.signed_in(client, facebook.token(person), device_name="Hare's phone", platform="ios")

    account = session.scalars(select(Account)).one()
    assert (str(account.id), account.display_name) == (phone.user_id, "Snow Hare")
    signed_in = session.scalars(select(DeviceSession)).one()
    assert (str(signed_in.id), signed_in.device_name, signed_in.platform, signed_in.ip_prefix) == (
        phone.session_id,
        "Hare's phone",
        "ios",
        "127.0.0.0/24",
    )
    [event] = published(session)
    assert (event.type, event.aggregate_key) == ("auth.account.created.v1", f"account:{phone.user_id}")
    assert event.data == {
        "account_id": phone.user_id,
        "display_name": "Snow Hare",
        "picture_url": f"http://facebook.test/pictures/{person.id}.svg",
        "created_at": account.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_the_answer_is_what_oauth_says_and_is_never_stored(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    response = ask_token(
        client, "facebook_access_token", facebook_access_token=facebook.token(facebook.person())
    )

    assert (response.headers["Cache-Control"], response.headers["Pragma"]) == ("no-store", "no-cache")
    body = response.json or {}
    assert {**body, "access_token": "…", "refresh_token": "…", "user_id": "…", "session_id": "…"} == {
        "access_token": "…",
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_token": "…",
        "refresh_expires_in": body["refresh_expires_in"],
        "scope": "user",
        "user_id": "…",
        "session_id": "…",
    }
    assert 60 * 24 * 3600 - 5 <= body["refresh_expires_in"] <= 60 * 24 * 3600


def test_the_access_token_is_verified_by_the_published_keys_alone(client: FlaskClient, phone: Phone) -> None:
    keys = {key["kid"]: key for key in (client.get("/.well-known/jwks.json").json or {})["keys"]}
    token = phone.granted["access_token"]
    header = jwt.get_unverified_header(token)

    claims = jwt.decode(
        token,
        jwt.PyJWK(keys[header["kid"]]).key,
        algorithms=["ES256"],
        audience="igloo",
        issuer="http://igloo.test",
    )

    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert (claims["sub"], claims["sid"], claims["scope"]) == (phone.user_id, phone.session_id, "user")
    assert claims["exp"] - claims["iat"] == 600
    assert UUID(claims["jti"])


def test_a_second_phone_of_the_same_person_is_another_session_of_the_same_account(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    somebody_else = Phone.signed_in(client, facebook.token(facebook.person("Noise")))

    first = Phone.signed_in(client, facebook.token(person))
    second = Phone.signed_in(client, facebook.token(person))

    assert first.user_id == second.user_id != somebody_else.user_id
    assert first.session_id != second.session_id
    assert len(published(session)) == 2


def test_two_people_of_the_same_name_are_two_accounts(client: FlaskClient, facebook: FacebookServer) -> None:
    one = Phone.signed_in(client, facebook.token(facebook.person("Snow Hare")))
    other = Phone.signed_in(client, facebook.token(facebook.person("Snow Hare")))

    assert one.user_id != other.user_id


def test_phones_signing_in_for_the_first_time_at_once_make_one_account_and_one_event(
    app: Flask, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    tokens = [facebook.token(person) for _ in range(12)]

    with ThreadPoolExecutor(len(tokens)) as pool:
        phones = list(pool.map(lambda token: Phone.signed_in(app.test_client(), token), tokens))

    assert len({phone.user_id for phone in phones}) == 1
    assert session.scalar(select(func.count()).select_from(Account)) == 1
    assert session.scalar(select(func.count()).select_from(DeviceSession)) == 12
    assert [event.type for event in published(session)] == ["auth.account.created.v1"]


def test_a_later_sign_in_takes_over_the_name_that_facebook_has_now(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    person = facebook.person("Snow Hare")
    Phone.signed_in(client, facebook.token(person))
    noise = Phone.signed_in(client, facebook.token(facebook.person("Noise")))
    facebook.answer("/me", answering(200, f'{{"id": "{person.id}", "name": "Arctic Hare"}}'))

    phone = Phone.signed_in(client, facebook.token(person))

    account = phone.get("/v1/account").json or {}
    assert (account["display_name"], account["picture_url"]) == ("Arctic Hare", None)
    assert (noise.get("/v1/account").json or {})["display_name"] == "Noise"


def test_a_name_that_facebook_does_not_say_this_time_stays_as_it_is(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    named, nameless = facebook.person("Snow Hare"), facebook.person("Noise")
    Phone.signed_in(client, facebook.token(named))
    for person in (named, nameless):
        facebook.answer("/me", answering(200, f'{{"id": "{person.id}", "name": " "}}'))

    phones = [Phone.signed_in(client, facebook.token(person)) for person in (named, nameless)]

    names = [(phone.get("/v1/account").json or {})["display_name"] for phone in phones]
    assert names == ["Snow Hare", "Facebook user"]


def test_json_is_as_good_as_a_form(client: FlaskClient, facebook: FacebookServer) -> None:
    response = client.post(
        "/v1/auth/token",
        json={
            "grant_type": "facebook_access_token",
            "facebook_access_token": facebook.token(facebook.person()),
            "device_name": "",
            "audience": "unknown parameters are ignored",
        },
    )

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("make_token", "reason"),
    [
        (lambda facebook: "EAAnever-issued", "not_valid"),
        (lambda facebook: facebook.token(facebook.person(), seconds=-10), "expired"),
        (lambda facebook: facebook.token(facebook.person(app=OTHER_APP)), "other_app"),
    ],
    ids=["unknown", "expired", "made for another app"],
)
def test_a_token_that_facebook_does_not_vouch_for_is_refused(
    client: FlaskClient, facebook: FacebookServer, session: Session, make_token: object, reason: str
) -> None:
    assert callable(make_token)

    status, code, problem = sign_in(client, make_token(facebook))

    assert (status, code, problem["error"], problem["reason"]) == (
        400,
        "facebook_token_invalid",
        "invalid_grant",
        reason,
    )
    assert session.scalars(select(Account)).all() == []


def test_a_valid_answer_about_another_apps_token_is_refused_too(
    client: FlaskClient, facebook: FacebookServer
) -> None:
    facebook.answer(
        "/debug_token",
        answering(200, '{"data": {"is_valid": true, "app_id": "5", "type": "USER", "user_id": "7"}}'),
    )

    status, code, problem = sign_in(client, "EAAtoken")

    assert (status, code, problem["reason"]) == (400, "facebook_token_invalid", "other_app")
    assert facebook.asked("/me") == []


def test_facebook_being_down_is_503_and_leaves_signed_in_phones_alone(
    client: FlaskClient, facebook: FacebookServer, phone: Phone
) -> None:
    outage = answering(500, '{"error": {"code": 2, "is_transient": true}}')
    facebook.answer("/debug_token", outage, outage)

    response = ask_token(client, "facebook_access_token", facebook_access_token="EAAtoken")

    assert (response.status_code, (response.json or {})["code"]) == (503, "facebook_unavailable")
    assert response.headers["Retry-After"] == "5"
    phone.refresh()
    assert phone.get("/v1/account").status_code == 200

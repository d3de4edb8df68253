"""How often an address, a person and a device may ask, and what a refusal leaves as it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.facebook_server import FacebookServer
from auth.phones import Phone
from igloo_auth.models.sessions import DeviceSession

MakeApp = Callable[..., Flask]
UNKNOWN_TOKEN = "A" * 43


def ask(client: FlaskClient, address: str = "192.0.2.1", **parameters: str) -> TestResponse:
    """Ask the token endpoint from an address, through the gateway."""
    return client.post("/v1/auth/token", data=parameters, headers={"X-Forwarded-For": address})


def guess(client: FlaskClient, address: str = "192.0.2.1") -> TestResponse:
    """Present a refresh token that nobody was given."""
    return ask(client, address, grant_type="refresh_token", refresh_token=UNKNOWN_TOKEN)


def refused_by(answer: TestResponse) -> str:
    """Return the name of the limit that refused a request, whose refusal says all that it should."""
    assert answer.status_code == 429, answer.text
    problem = answer.json or {}
    assert (problem["code"], problem["error"]) == ("rate_limited", "temporarily_unavailable")
    last = answer.headers["RateLimit"].split(", ")[-1]
    name, _, rest = last.partition(";")
    assert rest == f"r=0;t={answer.headers['Retry-After']}"
    return name.strip('"')


def test_an_address_may_ask_so_often_and_others_are_not_kept_out(make_app: MakeApp) -> None:
    client = make_app(IGLOO_TOKENS_PER_ADDRESS="3").test_client()

    statuses = [guess(client).status_code for _ in range(3)]

    assert statuses == [400] * 3
    assert refused_by(guess(client)) == "tokens"
    assert guess(client, "192.0.2.2").status_code == 400


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        # What a client writes into the header itself stands before what the gateway has seen.
        ("192.0.2.1", "198.51.100.7, 192.0.2.1", True),
        ("192.0.2.1, 198.51.100.7", "192.0.2.1", False),
    ],
)
def test_an_address_is_what_the_gateway_saw_and_all_of_a_households(
    make_app: MakeApp, first: str, second: str, same: bool
) -> None:
    client = make_app(IGLOO_TOKENS_PER_ADDRESS="1").test_client()
    guess(client, first)

    assert guess(client, second).status_code == (429 if same else 400)


def test_without_a_gateway_the_connection_itself_tells_the_address(make_app: MakeApp) -> None:
    client = make_app(IGLOO_TOKENS_PER_ADDRESS="1").test_client()

    statuses = [
        client.post("/v1/auth/token", environ_overrides={"REMOTE_ADDR": address}).status_code
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")
    ]

    assert statuses == [400, 429, 400]


def test_who_guesses_is_refused_before_facebook_or_a_token_is_asked(
    make_app: MakeApp, facebook: FacebookServer
) -> None:
    client = make_app(IGLOO_TOKEN_REFUSALS_PER_ADDRESS="2").test_client()
    assert [guess(client).status_code for _ in range(2)] == [400, 400]

    token = facebook.token(facebook.person())
    refused = ask(client, grant_type="facebook_access_token", facebook_access_token=token)

    assert refused_by(refused) == "refusals"
    assert facebook.calls == []
    elsewhere = ask(client, "192.0.2.2", grant_type="facebook_access_token", facebook_access_token=token)
    assert elsewhere.status_code == 200


def test_only_refused_proofs_count_as_guesses(make_app: MakeApp, facebook: FacebookServer) -> None:
    client = make_app(IGLOO_TOKEN_REFUSALS_PER_ADDRESS="1").test_client()
    token = facebook.token(facebook.person())
    for _ in range(3):
        assert ask(client, grant_type="nonsense").status_code == 400
        assert ask(client, grant_type="refresh_token").status_code == 400

    answer = ask(client, grant_type="facebook_access_token", facebook_access_token=token)

    assert answer.status_code == 200


def test_a_person_may_sign_in_so_often_from_wherever(
    make_app: MakeApp, facebook: FacebookServer, session: Session
) -> None:
    client = make_app(IGLOO_SIGN_INS_PER_IDENTITY="2").test_client()
    hare, puffin = facebook.person("Snow Hare"), facebook.person("Puffin")

    def sign_in(person: object, address: str) -> TestResponse:
        return ask(
            client,
            address,
            grant_type="facebook_access_token",
            facebook_access_token=facebook.token(person),  # type: ignore[arg-type]  # a Person
        )

    statuses = [sign_in(hare, address).status_code for address in ("192.0.2.1", "192.0.2.2")]

    assert statuses == [200, 200]
    assert refused_by(sign_in(hare, "192.0.2.3")) == "sign-ins"
    assert sign_in(puffin, "192.0.2.3").status_code == 200
    assert len(session.scalars(select(DeviceSession)).all()) == 3


def test_a_device_that_refreshes_without_end_is_slowed_down_and_stays_signed_in(
    make_app: MakeApp, facebook: FacebookServer, session: Session
) -> None:
    app = make_app(IGLOO_REFRESHES_PER_SESSION="3")
    person = facebook.person()
    phone, other = (Phone.signed_in(app.test_client(), facebook.token(person)) for _ in range(2))
    for _ in range(3):
        phone.refresh()

    assert refused_by(phone.try_refresh()) == "refreshes"
    other.refresh()
    assert phone.get("/v1/account").status_code == 200
    # A minute later, without waiting for it.
    session.execute(text("DELETE FROM rate_limits"))
    session.commit()
    phone.refresh()


def test_a_refusal_ends_nothing_and_uses_up_no_token(
    make_app: MakeApp, facebook: FacebookServer, session: Session
) -> None:
    app = make_app(IGLOO_TOKENS_PER_ADDRESS="2")
    phone = Phone.signed_in(app.test_client(), facebook.token(facebook.person()))
    phone.refresh()

    assert [refused_by(phone.try_refresh()) for _ in range(5)] == ["tokens"] * 5
    [stored] = session.scalars(select(DeviceSession))
    assert stored.revoked_at is None
    assert phone.get("/v1/account").status_code == 200


def test_signing_out_is_never_refused_for_being_too_often(
    make_app: MakeApp, facebook: FacebookServer
) -> None:
    app = make_app(IGLOO_TOKENS_PER_ADDRESS="1", IGLOO_TOKEN_REFUSALS_PER_ADDRESS="1")
    phone = Phone.signed_in(app.test_client(), facebook.token(facebook.person()))
    assert phone.try_refresh().status_code == 429

    answers = [phone.client.post("/v1/auth/revoke", data={"token": UNKNOWN_TOKEN}) for _ in range(30)]

    assert {answer.status_code for answer in answers} == {200}
    assert phone.delete(f"/v1/auth/sessions/{phone.session_id}").status_code == 204


def test_an_allowed_answer_says_what_is_left(make_app: MakeApp, facebook: FacebookServer) -> None:
    client = make_app(IGLOO_TOKENS_PER_ADDRESS="3", IGLOO_REFRESHES_PER_SESSION="2").test_client()
    phone = Phone.signed_in(client, facebook.token(facebook.person()))

    answer = phone.try_refresh()

    assert answer.status_code == 200
    tokens, refreshes = answer.headers["RateLimit"].split(", ")
    assert tokens.startswith('"tokens";r=1;t=')
    assert refreshes == '"refreshes";r=1;t=30'
    assert answer.headers["RateLimit-Policy"] == '"tokens";q=3;w=60, "refreshes";q=2;w=60'


def test_no_address_and_no_facebook_id_is_stored(
    client: FlaskClient, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    Phone.signed_in(client, facebook.token(person))
    guess(client)

    stored = session.execute(text("SELECT name, subject FROM rate_limits ORDER BY name")).all()

    assert [row.name for row in stored] == ["refusals", "sign-ins", "tokens", "tokens"]
    assert all(len(row.subject) == 32 and person.id not in row.subject for row in stored)


def test_the_limits_of_the_token_endpoint_are_documented(client: FlaskClient) -> None:
    responses = (client.get("/openapi.json").json or {})["paths"]["/v1/auth/token"]["post"]["responses"]

    assert set(responses["200"]["headers"]) == {"RateLimit", "RateLimit-Policy"}
    assert set(responses["429"]["headers"]) == {"RateLimit", "RateLimit-Policy", "Retry-After"}

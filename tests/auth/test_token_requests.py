"""Requests that the token endpoint cannot take, each with its code and the `error` of RFC 6749."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from igloo_auth.models.accounts import Account

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
SIGN_IN = b"grant_type=facebook_access_token&facebook_access_token=EAA"
REFRESH = b"grant_type=refresh_token&refresh_token="


@dataclass(frozen=True)
class Refused:
    """A body, and what the problem document must say."""

    body: bytes
    content_type: str = FORM
    code: str = "invalid_request"
    error: str = "invalid_request"


UNKNOWN_GRANT = ("unsupported_grant_type", "unsupported_grant_type")

CASES = {
    "nothing": Refused(b""),
    "no grant type": Refused(b"refresh_token=x"),
    "an empty grant type": Refused(b"grant_type="),
    "a list for a grant type": Refused(b'{"grant_type": ["refresh_token"]}', JSON),
    "an unknown grant": Refused(b"grant_type=password", FORM, *UNKNOWN_GRANT),
    "a grant that is not served": Refused(b'{"grant_type": "client_credentials"}', JSON, *UNKNOWN_GRANT),
    "no token": Refused(b"grant_type=refresh_token"),
    "an empty token": Refused(REFRESH),
    "a token twice": Refused(REFRESH + b"a&refresh_token=b"),
    "an endless token": Refused(REFRESH + b"a" * 5000),
    "a number for a token": Refused(b'{"grant_type": "refresh_token", "refresh_token": 5}', JSON),
    "a name too long": Refused(SIGN_IN + b"&device_name=" + b"n" * 101),
    "a NUL": Refused(SIGN_IN + b"&device_name=a%00b"),
    "broken JSON": Refused(b'{"grant_type": ', JSON, "malformed_json"),
    "half a surrogate": Refused(
        b'{"grant_type": "refresh_token", "refresh_token": "\\ud800"}', JSON, "malformed_json"
    ),
    "a JSON list": Refused(b"[]", JSON),
    "another type of body": Refused(REFRESH + b"x", "text/plain"),
}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Hare\u202eenohp", "Hareenohp"), ("Hare's\nphone", "Hare's phone"), ("\u3164\u200b", None), ("", None)],
)
def test_a_phones_own_name_is_made_fit_and_never_keeps_anybody_out(
    client: FlaskClient, facebook: FacebookServer, sent: str, kept: str | None
) -> None:
    person = facebook.token(facebook.person("Snow Hare"))
    grant = {"grant_type": "facebook_access_token", "facebook_access_token": person, "device_name": sent}

    answer = client.post("/v1/auth/token", data=grant)

    token = (answer.json or {})["access_token"]
    sessions = client.get("/v1/auth/sessions", headers={"Authorization": f"Bearer {token}"})
    assert [session["device_name"] for session in (sessions.json or {})["data"]] == [kept]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_request_that_cannot_be_taken_is_refused_by_name(
    client: FlaskClient, session: Session, case: Refused
) -> None:
    answer = client.post("/v1/auth/token", data=case.body, content_type=case.content_type)

    problem = answer.json or {}
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.status_code, problem["code"], problem["error"]) == (400, case.code, case.error)
    assert session.scalar(select(func.count()).select_from(Account)) == 0


def test_the_parameter_that_is_missing_is_named(client: FlaskClient, facebook: FacebookServer) -> None:
    answer = client.post("/v1/auth/token", data={"grant_type": "facebook_access_token"})

    [entry] = (answer.json or {})["errors"]
    assert (entry["pointer"], entry["code"]) == ("/facebook_access_token", "required")
    assert facebook.calls == []

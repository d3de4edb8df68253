"""Where a browser may be sent back to."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.browsers import OAUTH_CLIENTS, PHONE, REDIRECT_URI, WEB, Browser, query_of
from igloo_auth.models.web_sign_ins import AuthorizationRequest
from igloo_auth.policies.redirects import chosen_redirect, is_registered, with_query

HTTPS = "https://igloo.example.com/signed-in"
LOOPBACK = "http://127.0.0.1/signed-in"
REGISTERED = OAUTH_CLIENTS[PHONE]

ALLOWED = [
    *REGISTERED,
    "http://127.0.0.1:1/signed-in",
    "http://127.0.0.1:51004/signed-in",
    "http://127.0.0.1:65535/signed-in",
    "http://[::1]:51004/signed-in",
]
TAMPERED = {
    "a prefix": "https://igloo.example.com/signed",
    "a suffix": f"{HTTPS}/more",
    "a dot at the end": "https://igloo.example.com./signed-in",
    "a suffixed host": "https://igloo.example.com.evil.example/signed-in",
    "a prefixed host": "https://evil-igloo.example.com/signed-in",
    "a subdomain": "https://a.igloo.example.com/signed-in",
    "an encoded letter": "https://igloo.example.com/signed%2Din",
    "an encoded slash": "https://igloo.example.com%2Fsigned-in",
    "user info": "https://igloo.example.com@evil.example/signed-in",
    "user info before the host": "https://evil.example@igloo.example.com/signed-in",
    "a backslash": "https://igloo.example.com\\@evil.example/signed-in",
    "another port": "https://igloo.example.com:8443/signed-in",
    "the port that is meant anyway": "https://igloo.example.com:443/signed-in",
    "capitals in the host": "https://IGLOO.example.com/signed-in",
    "capitals in the scheme": "HTTPS://igloo.example.com/signed-in",
    "dots in the path": "https://igloo.example.com/x/../signed-in",
    "two slashes": "https://igloo.example.com//signed-in",
    "a query": f"{HTTPS}?next=https://evil.example",
    "a fragment": f"{HTTPS}#x",
    "a space": f"{HTTPS} ",
    "a line": f"{HTTPS}\nSet-Cookie: a=b",
    "no TLS": "http://igloo.example.com/signed-in",
    "another scheme of an app": "com.example.igloo2:/signed-in",
    "a scheme with an authority": "com.example.igloo://signed-in",
    "a script": "javascript:alert(1)",
    "another site": "https://evil.example/",
    "nothing but slashes": "//evil.example/signed-in",
    "a relative address": "/signed-in",
    "loopback by name": "http://localhost/signed-in",
    "loopback by name with another port": "http://localhost:7001/signed-in",
    "loopback with TLS": "https://127.0.0.1:51004/signed-in",
    "loopback with another path": "http://127.0.0.1:51004/",
    "loopback with user info": "http://127.0.0.1:51004@evil.example/signed-in",
    "loopback with a longer host": "http://127.0.0.1.evil.example/signed-in",
    "another loopback": "http://127.0.0.2:51004/signed-in",
    "a short loopback": "http://127.1:51004/signed-in",
    "port 0": "http://127.0.0.1:0/signed-in",
    "a port too high": "http://127.0.0.1:65536/signed-in",
    "a port that begins with 0": "http://127.0.0.1:080/signed-in",
    "a port in other digits": "http://127.0.0.1:٣/signed-in",
    "no port after the colon": "http://127.0.0.1:/signed-in",
    "a port twice": "http://127.0.0.1:1:2/signed-in",
}


@pytest.mark.parametrize("asked", ALLOWED)
def test_a_registered_address_is_allowed_and_loopback_with_any_port(asked: str) -> None:
    assert chosen_redirect(asked, registered=REGISTERED) == asked


@pytest.mark.parametrize("asked", TAMPERED.values(), ids=TAMPERED.keys())
def test_an_address_that_is_not_registered_to_the_letter_gets_nothing(
    app: Flask, session: Session, asked: str
) -> None:
    answer = Browser(client=app.test_client()).begin(redirect_uri=asked)

    problem = answer.json or {}
    assert (answer.status_code, problem["code"], problem["error"]) == (
        400,
        "redirect_uri_not_allowed",
        "invalid_request",
    )
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert session.scalar(select(func.count()).select_from(AuthorizationRequest)) == 0


def test_a_loopback_entry_with_a_port_means_that_port() -> None:
    assert is_registered("http://127.0.0.1:8080/", "http://127.0.0.1:8080/")
    assert not is_registered("http://127.0.0.1:8081/", "http://127.0.0.1:8080/")


def test_a_client_with_one_address_need_not_name_it_and_one_with_several_must(app: Flask) -> None:
    browser = Browser(client=app.test_client())

    assert browser.begin(client_id=WEB, redirect_uri=None).status_code == 302
    several = browser.begin(client_id=PHONE, redirect_uri=None)

    assert (several.status_code, (several.json or {})["code"]) == (400, "redirect_uri_not_allowed")


def test_an_address_of_another_client_is_not_allowed(app: Flask) -> None:
    answer = Browser(client=app.test_client()).begin(client_id=WEB, redirect_uri=REDIRECT_URI)

    assert (answer.json or {})["code"] == "redirect_uri_not_allowed"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (HTTPS, f"{HTTPS}?code=a%26b"),
        ("com.example.igloo:/signed-in", "com.example.igloo:/signed-in?code=a%26b"),
        ("https://app.example.com/?from=igloo", "https://app.example.com/?from=igloo&code=a%26b"),
        ("https://app.example.com/?", "https://app.example.com/?code=a%26b"),
        ("https://app.example.com/?a=b&", "https://app.example.com/?a=b&code=a%26b"),
    ],
)
def test_parameters_join_the_query_that_is_there(address: str, expected: str) -> None:
    assert with_query(address, {"code": "a&b", "state": None}) == expected


def test_a_refusal_keeps_the_query_of_the_address(app: Flask) -> None:
    answer = Browser(client=app.test_client()).begin(client_id=WEB, redirect_uri=None, code_challenge=None)

    location = answer.headers["Location"]
    assert location.startswith("https://app.example.com/?from=igloo&error=invalid_request&")
    assert query_of(location)["from"] == "igloo"

"""Requests to begin a sign-in that are wrong, and whom that is told to."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from sqlalchemy.orm import Session

from auth.browsers import ISSUER, PHONE, REDIRECT_URI, STATE, Browser, query_of
from auth.conftest import MakeApp
from auth.facebook_server import FacebookServer
from auth.web_flow.answers import A_PERSON, CHALLENGE, count, refusal
from igloo_auth.models.web_sign_ins import AuthorizationRequest

INVALID_REQUESTS: dict[str, tuple[dict[str, str | None], str]] = {
    "no response type": ({"response_type": None}, "invalid_request"),
    "an empty response type": ({"response_type": ""}, "invalid_request"),
    "a token at once": ({"response_type": "token"}, "unsupported_response_type"),
    "a code and an id token": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "no proof key": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "an empty challenge": ({"code_challenge": ""}, "invalid_request"),
    "no method, which means plain": ({"code_challenge_method": None}, "invalid_request"),
    "the method plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "a method in small letters": ({"code_challenge_method": "s256"}, "invalid_request"),
    "a short challenge": ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
    "a long challenge": ({"code_challenge": CHALLENGE + "A"}, "invalid_request"),
    "a padded challenge": ({"code_challenge": CHALLENGE[:-1] + "="}, "invalid_request"),
    "a challenge with a line break": ({"code_challenge": CHALLENGE + "\n"}, "invalid_request"),
    "a long state": ({"state": "s" * 1025}, "invalid_request"),
    "a state with a NUL": ({"state": "a\0b"}, "invalid_request"),
    "a state of two lines": ({"state": "a\r\nLocation: https://evil.example"}, "invalid_request"),
    "an answer in a form": ({"response_mode": "form_post"}, "invalid_request"),
    "an answer in the fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "a request object": ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    "a request by address": ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
}


@pytest.mark.parametrize(("different", "error"), INVALID_REQUESTS.values(), ids=INVALID_REQUESTS.keys())
def test_what_is_wrong_with_a_request_is_told_to_the_app(
    browser: Browser, session: Session, different: dict[str, str | None], error: str
) -> None:
    answer = browser.begin(**different)

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?")
    told = query_of(answer.headers["Location"])
    assert (told["error"], told["iss"]) == (error, ISSUER)
    assert told["state"] == different.get("state", STATE)
    assert told["error_description"].isascii()
    assert count(session, AuthorizationRequest) == 0
    assert "Set-Cookie" not in answer.headers


def test_a_state_of_1024_characters_comes_back(browser: Browser, facebook: FacebookServer) -> None:
    state = "é" * 1024

    assert browser.answer(facebook.person(), state=state)["state"] == state


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "invalid_request"),
        ("client_id=", "invalid_request"),
        ("client_id=nobody", "client_unknown"),
        ("client_id=IGLOO-PHONE", "client_unknown"),
        ("client_id=igloo-phone%00", "client_unknown"),
        (f"client_id={PHONE}&client_id={PHONE}&redirect_uri={REDIRECT_URI}", "invalid_request"),
        (f"client_id={PHONE}&redirect_uri={REDIRECT_URI}&redirect_uri=https://x.example", "invalid_request"),
        (f"client_id={PHONE}&redirect_uri={REDIRECT_URI}&state=a&state=b", "invalid_request"),
        (
            f"client_id={PHONE}&redirect_uri={REDIRECT_URI}&response_type=code&response_type=",
            "invalid_request",
        ),
    ],
)
def test_while_it_is_not_certain_who_asks_nothing_is_sent_anywhere(
    browser: Browser, session: Session, query: str, code: str
) -> None:
    answer = browser.client.get(f"/v1/auth/facebook/authorize?{query}", base_url=ISSUER)

    assert refusal(answer)[:2] == (400, code)
    assert "Location" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert count(session, AuthorizationRequest) == 0


SCRIPT = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"


@pytest.mark.parametrize(
    "path",
    [
        "authorize?client_id={0}",
        "authorize?client_id=igloo-phone&redirect_uri={0}",
        "authorize?client_id=igloo-phone&redirect_uri=javascript:{0}",
        "authorize?{0}={0}&client_id=a&client_id={0}",
        "callback?state={0}&error={0}&error_description={0}",
    ],
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_person_gets_a_page_with_no_word_of_the_request_in_it(
    browser: Browser, path: str, language: str
) -> None:
    address = f"/v1/auth/facebook/{path.format(quote(SCRIPT))}"

    answer = browser.client.get(
        address, base_url=ISSUER, headers={**A_PERSON, "Accept-Language": f"{language}-KR, fr;q=0.5"}
    )

    assert answer.status_code == 400
    assert answer.content_type == "text/html; charset=utf-8"
    assert (answer.headers["Cache-Control"], answer.headers["Content-Language"]) == ("no-store", language)
    for part in ("alert", "onerror", "script", "<img"):
        assert part not in answer.text
    assert f'<html lang="{language}">' in answer.text
    assert answer.headers["X-Request-Id"] in answer.text.replace("<wbr>", "")


def test_a_person_whose_sign_in_is_over_reads_what_to_do(browser: Browser) -> None:
    answer = browser.client.get(
        "/v1/auth/facebook/callback?state=x&code=y", base_url=ISSUER, headers=A_PERSON
    )

    assert "go back to the app" in answer.text
    assert "state_invalid" in answer.text


def test_whoever_begins_too_often_is_told_when_to_come_again(make_app: MakeApp) -> None:
    browser = Browser(client=make_app(IGLOO_WEB_SIGN_INS_PER_ADDRESS="1").test_client())
    browser.begin()

    refused = browser.begin()
    shown = browser.client.get("/v1/auth/facebook/authorize", base_url=ISSUER, headers=A_PERSON)

    assert refusal(refused)[:2] == (429, "rate_limited")
    assert (shown.status_code, shown.content_type) == (429, "text/html; charset=utf-8")
    assert int(shown.headers["Retry-After"]) > 0


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
def test_only_get_begins_and_ends_a_sign_in(
    browser: Browser, facebook: FacebookServer, session: Session, method: str
) -> None:
    address = browser.at_facebook(facebook.person())

    looked = browser.client.open(address.removeprefix(ISSUER), method=method, base_url=ISSUER)
    begun = browser.client.open("/v1/auth/facebook/authorize", method=method, base_url=ISSUER)

    assert (looked.status_code, begun.status_code) == (405, 405)
    assert count(session, AuthorizationRequest) == 1
    assert "code" in query_of(browser.come_back(address).headers["Location"])

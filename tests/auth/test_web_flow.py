"""Signing in through a browser: from the app's request to Facebook and back to the app."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.browsers import ISSUER, PHONE, REDIRECT_URI, STATE, Browser, query_of
from auth.conftest import MakeApp
from auth.facebook_server import OUR_APP, Answer, FacebookServer, answering
from igloo_auth.api.browser_bindings import MOST_AT_ONCE
from igloo_auth.models.accounts import Account
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.web_sign_ins import AuthorizationCode, AuthorizationRequest
from igloo_auth.operations.pruning import prune_authorization_requests
from igloo_auth.operations.web_sign_ins import REQUEST_SECONDS
from igloo_auth.settings import FACEBOOK_GRAPH_VERSION
from igloo_common.clock import utc_now

EXCHANGE = "/oauth/access_token"
A_PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Open a browser."""
    return Browser(client=app.test_client())


def count(session: Session, table: type[Any]) -> int:
    """Return how many rows a table has by now."""
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def refusal(answer: TestResponse) -> tuple[int, str | None, str | None]:
    """Return what a problem document says."""
    problem = answer.json or {}
    return answer.status_code, problem.get("code"), problem.get("reason")


def test_the_app_gets_a_code_its_own_state_and_who_gives_them(
    browser: Browser, facebook: FacebookServer
) -> None:
    begun = browser.at_facebook(facebook.person("Snow Hare"))

    back = browser.come_back(begun)

    assert back.status_code == 302
    assert back.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert back.headers["Cache-Control"] == "no-store"
    told = query_of(back.headers["Location"])
    assert (set(told), told["state"], told["iss"]) == ({"code", "state", "iss"}, STATE, ISSUER)
    granted = browser.redeem(told["code"], device_name="Hare's phone").json or {}
    assert granted["scope"] == "user"
    answer = browser.client.get("/v1/account", headers={"Authorization": f"Bearer {granted['access_token']}"})
    assert (answer.json or {})["display_name"] == "Snow Hare"


def test_the_browser_is_sent_to_facebook_with_a_state_and_a_proof_key_of_ours(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    begun = browser.begin(scope="openid email")

    address, _, query = begun.headers["Location"].partition("?")
    asked = query_of(f"?{query}")
    assert address == f"{facebook.url}/{FACEBOOK_GRAPH_VERSION}/dialog/oauth"
    assert asked == {
        "response_type": "code",
        "client_id": OUR_APP[0],
        "redirect_uri": f"{ISSUER}/v1/auth/facebook/callback",
        "scope": "public_profile,user_friends",
        "state": asked["state"],
        "code_challenge": asked["code_challenge"],
        "code_challenge_method": "S256",
    }
    assert len(asked["state"]) == len(asked["code_challenge"]) == 43
    kept = session.scalars(select(AuthorizationRequest)).one()
    assert kept.state_hash == hashlib.sha256(asked["state"].encode()).digest()
    assert (kept.client_id, kept.redirect_uri, kept.client_state) == (PHONE, REDIRECT_URI, STATE)


def test_two_sign_ins_share_neither_state_nor_proof_key(browser: Browser) -> None:
    one, other = (query_of(browser.begin().headers["Location"]) for _ in range(2))

    assert one["state"] != other["state"]
    assert one["code_challenge"] != other["code_challenge"]


def test_an_app_that_sent_no_state_gets_none(browser: Browser, facebook: FacebookServer) -> None:
    assert set(browser.answer(facebook.person(), state=None)) == {"code", "iss"}


def test_the_binding_stays_in_the_browser_for_ten_minutes_and_is_for_this_flow_alone(
    browser: Browser,
) -> None:
    [cookie] = browser.begin().headers.getlist("Set-Cookie")

    name, *attributes = cookie.split("; ")
    assert name.startswith("igloo_sign_in_")
    assert sorted(attributes) == sorted(
        ["HttpOnly", "Path=/v1/auth/facebook", "SameSite=Lax", f"Max-Age={REQUEST_SECONDS}"]
        + [part for part in attributes if part.startswith("Expires=")]
    )


def test_over_https_only_this_very_host_can_have_set_the_cookie(make_app: MakeApp) -> None:
    browser = Browser(client=make_app(IGLOO_PUBLIC_URL="https://igloo.test").test_client())

    [cookie] = browser.begin().headers.getlist("Set-Cookie")

    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-igloo_sign_in_")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes)
    assert not any(part.startswith("Domain") for part in attributes)


def test_a_state_is_good_once(browser: Browser, facebook: FacebookServer, session: Session) -> None:
    address = browser.at_facebook(facebook.person())
    binding = browser.client.get_cookie(*cookie_of(address))
    assert binding is not None
    browser.come_back(address)
    browser.client.set_cookie(binding.key, binding.value, domain="igloo.test", path=binding.path)
    calls = len(facebook.calls)

    again = browser.come_back(address)

    assert refusal(again) == (400, "state_invalid", "unknown")
    assert len(facebook.calls) == calls
    assert count(session, AuthorizationCode) == 1


def cookie_of(address: str) -> tuple[str, str, str]:
    """Return name, domain and path of the cookie that binds the sign-in of a callback's address."""
    digest = hashlib.sha256(query_of(address)["state"].encode()).hexdigest()
    return f"igloo_sign_in_{digest[:16]}", "igloo.test", "/v1/auth/facebook"


def test_an_address_in_another_browser_signs_nobody_in_and_stays_good_in_its_own(
    app: Flask, browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    address = browser.at_facebook(facebook.person())
    stranger = Browser(client=app.test_client())
    stranger.begin()
    calls = len(facebook.calls)

    assert refusal(stranger.come_back(address)) == (400, "state_invalid", "other_browser")
    assert len(facebook.calls) == calls
    assert count(session, Account) == 0
    assert "code" in query_of(browser.come_back(address).headers["Location"])


def test_the_binding_of_one_sign_in_does_not_open_another(
    app: Flask, browser: Browser, facebook: FacebookServer
) -> None:
    address = browser.at_facebook(facebook.person())
    attacker = Browser(client=app.test_client())
    own = attacker.client.get_cookie(*cookie_of(attacker.at_facebook(facebook.person())))
    assert own is not None
    name, domain, path = cookie_of(address)
    attacker.client.set_cookie(name, own.value, domain=domain, path=path)

    assert refusal(attacker.come_back(address)) == (400, "state_invalid", "other_browser")


def test_a_state_is_good_for_ten_minutes(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    address = browser.at_facebook(facebook.person())
    kept = session.scalars(select(AuthorizationRequest)).one()
    assert timedelta(seconds=REQUEST_SECONDS - 30) < kept.expires_at - utc_now()
    kept.expires_at = utc_now()
    session.commit()

    assert refusal(browser.come_back(address)) == (400, "state_invalid", "expired")
    assert count(session, AuthorizationCode) == 0


@pytest.mark.parametrize("query", ["", "?code=a", "?state=", "?state=made-up&code=a", "?state=%00&code=a"])
def test_a_state_that_nobody_was_given_is_refused(
    browser: Browser, facebook: FacebookServer, query: str
) -> None:
    answer = browser.client.get(f"/v1/auth/facebook/callback{query}", base_url=ISSUER)

    assert refusal(answer) == (400, "state_invalid", "unknown")
    assert facebook.calls == []


def test_a_state_that_comes_twice_in_one_request_is_refused(
    browser: Browser, facebook: FacebookServer
) -> None:
    address = browser.at_facebook(facebook.person())

    answer = browser.come_back(f"{address}&state=other")

    assert refusal(answer) == (400, "invalid_request", None)
    assert "code" in query_of(browser.come_back(address).headers["Location"])


def test_several_sign_ins_in_one_browser_end_in_any_order(browser: Browser, facebook: FacebookServer) -> None:
    addresses = [browser.at_facebook(facebook.person(), state=f"tab {tab}") for tab in range(3)]

    states = [query_of(browser.come_back(addresses[tab]).headers["Location"])["state"] for tab in (1, 2, 0)]

    assert states == ["tab 1", "tab 2", "tab 0"]


def test_a_browser_is_bound_to_the_latest_of_many_sign_ins_and_forgets_the_first(
    browser: Browser, facebook: FacebookServer
) -> None:
    addresses = [browser.at_facebook(facebook.person()) for _ in range(MOST_AT_ONCE + 2)]

    held = [browser.client.get_cookie(*cookie_of(address)) is not None for address in addresses]

    assert held == [False, False, *[True] * MOST_AT_ONCE]
    assert refusal(browser.come_back(addresses[0])) == (400, "state_invalid", "other_browser")
    assert "code" in query_of(browser.come_back(addresses[-1]).headers["Location"])


def test_the_cookie_goes_when_the_sign_in_is_over(browser: Browser, facebook: FacebookServer) -> None:
    address = browser.at_facebook(facebook.person())
    assert browser.client.get_cookie(*cookie_of(address)) is not None

    browser.come_back(address)

    assert browser.client.get_cookie(*cookie_of(address)) is None


def test_a_person_who_cancels_is_sent_back_to_the_app(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    begun = browser.begin()
    dialog = requests.get(begun.headers["Location"], timeout=10)
    cancel = dialog.text.rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")

    back = browser.come_back(cancel)

    told = query_of(back.headers["Location"])
    assert (told["error"], told["error_code"], told["state"], told["iss"]) == (
        "access_denied",
        "sign_in_cancelled",
        STATE,
        ISSUER,
    )
    assert "code" not in told
    assert count(session, AuthorizationRequest) == 0
    assert facebook.asked(EXCHANGE) == []


@pytest.mark.parametrize(
    "query",
    ["error_code=901&error_message=sandbox", "error=server_error", "code=", "", "code=a&error=server_error"],
    ids=str,
)
def test_an_error_that_is_facebooks_own_is_an_error_of_the_server(
    browser: Browser, facebook: FacebookServer, query: str
) -> None:
    state = query_of(browser.begin().headers["Location"])["state"]

    back = browser.come_back(f"{ISSUER}/v1/auth/facebook/callback?state={state}&{query}")

    told = query_of(back.headers["Location"])
    assert (told["error"], told["error_code"]) == ("server_error", "facebook_sign_in_failed")
    assert facebook.asked(EXCHANGE) == []


UNAVAILABLE = ("temporarily_unavailable", "facebook_unavailable")
FAILED = ("server_error", "facebook_failed")
CODE_REFUSED = ("access_denied", "facebook_code_refused")


def graph_error(code: int, message: str = "An error", status: int = 400) -> Answer:
    """Make an answer in the shape of Graph's errors."""
    return answering(
        status, f'{{"error": {{"code": {code}, "message": "{message}", "type": "OAuthException"}}}}'
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(answering(500, "<html>Sorry</html>", "text/html"), UNAVAILABLE, id="500 in HTML"),
        pytest.param(graph_error(2, status=500), UNAVAILABLE, id="500 in Graph's words"),
        pytest.param(graph_error(1), UNAVAILABLE, id="an unknown error"),
        pytest.param(graph_error(4), UNAVAILABLE, id="too many calls"),
        pytest.param(answering(429, "{}"), UNAVAILABLE, id="429"),
        pytest.param(answering(200, "<html>Hello</html>", "text/html"), FAILED, id="HTML"),
        pytest.param(answering(200, "[]"), FAILED, id="a list"),
        pytest.param(answering(200, "{}"), FAILED, id="no token"),
        pytest.param(answering(200, '{"error": "invalid_grant"}'), FAILED, id="an error that is no object"),
        pytest.param(answering(200, '{"access_token": null}'), FAILED, id="null for a token"),
        pytest.param(answering(200, '{"access_token": "a", "scope": 5}'), FAILED, id="a number for a scope"),
        pytest.param(answering(200, "Hello", "text/plain"), FAILED, id="a text"),
        pytest.param(answering(404, "nothing here", "text/plain"), FAILED, id="404"),
        pytest.param(graph_error(1, "Error validating client secret."), FAILED, id="a wrong secret"),
        pytest.param(graph_error(101), FAILED, id="a wrong app"),
        pytest.param(graph_error(191), FAILED, id="a callback that is not registered"),
        pytest.param(graph_error(100, "This code has been used."), CODE_REFUSED, id="a code that was used"),
    ],
)
def test_a_code_that_gives_no_token_is_traded_once_and_the_app_hears_why(
    browser: Browser, facebook: FacebookServer, session: Session, answer: Answer, expected: tuple[str, str]
) -> None:
    address = browser.at_facebook(facebook.person())
    facebook.answer(EXCHANGE, answer)

    told = query_of(browser.come_back(address).headers["Location"])

    assert (told["error"], told["error_code"]) == expected
    assert told["error_description"]
    assert (told["state"], told["iss"]) == (STATE, ISSUER)
    assert len(facebook.asked(EXCHANGE)) == 1
    assert count(session, AuthorizationCode) == count(session, Account) == 0


def test_the_app_secret_follows_no_redirect(browser: Browser, facebook: FacebookServer) -> None:
    address = browser.at_facebook(facebook.person())
    facebook.answer(EXCHANGE, redirecting(f"{facebook.url}/elsewhere"))

    told = query_of(browser.come_back(address).headers["Location"])

    assert (told["error"], told["error_code"]) == FAILED
    assert facebook.asked("/elsewhere") == []


def redirecting(address: str) -> Answer:
    """Make an answer that sends the caller elsewhere, body and all."""

    def answer() -> Any:  # noqa: ANN401 - a response of werkzeug
        response = answering(307, "")()
        response.headers["Location"] = address
        return response

    return answer


def test_a_code_that_facebook_did_not_give_is_refused(browser: Browser, facebook: FacebookServer) -> None:
    state = query_of(browser.begin().headers["Location"])["state"]

    back = browser.come_back(f"{ISSUER}/v1/auth/facebook/callback?state={state}&code=made-up")

    told = query_of(back.headers["Location"])
    assert (told["error"], told["error_code"]) == CODE_REFUSED


def test_a_code_of_another_sign_in_fails_facebooks_proof_key(
    app: Flask, browser: Browser, facebook: FacebookServer
) -> None:
    stolen = query_of(Browser(client=app.test_client()).at_facebook(facebook.person()))["code"]
    state = query_of(browser.begin().headers["Location"])["state"]

    back = browser.come_back(f"{ISSUER}/v1/auth/facebook/callback?state={state}&code={stolen}")

    assert query_of(back.headers["Location"])["error_code"] == "facebook_code_refused"


def test_the_form_encoded_answer_of_old_graph_versions_is_read(
    browser: Browser, facebook: FacebookServer
) -> None:
    person = facebook.person()
    address = browser.at_facebook(person)
    body = f"access_token={facebook.token(person)}&expires=5000"
    facebook.answer(EXCHANGE, answering(200, body, "text/plain; charset=UTF-8"))

    assert "code" in query_of(browser.come_back(address).headers["Location"])


def test_a_facebook_that_is_away_is_told_to_the_app(make_app: MakeApp, facebook: FacebookServer) -> None:
    browser = Browser(client=make_app().test_client())
    address = browser.at_facebook(facebook.person())
    away = Browser(client=make_app(IGLOO_FACEBOOK_GRAPH_URL="http://127.0.0.1:9").test_client())
    name, domain, path = cookie_of(address)
    binding = browser.client.get_cookie(name, domain, path)
    assert binding is not None
    away.client.set_cookie(name, binding.value, domain=domain, path=path)

    told = query_of(away.come_back(address).headers["Location"])

    assert (told["error"], told["error_code"]) == UNAVAILABLE


OTHER_APP = answering(200, '{"data": {"is_valid": true, "app_id": "1", "user_id": "2"}}')


@pytest.mark.parametrize(
    ("path", "answers", "expected"),
    [
        ("/debug_token", [OTHER_APP], ("access_denied", "facebook_token_invalid")),
        ("/me", [answering(500, "")] * 2, UNAVAILABLE),
    ],
    ids=["a token of another app", "no profile"],
)
def test_a_token_that_identifies_nobody_to_us_signs_nobody_in(
    browser: Browser, facebook: FacebookServer, path: str, answers: list[Answer], expected: tuple[str, str]
) -> None:
    address = browser.at_facebook(facebook.person())
    facebook.answer(path, *answers)

    told = query_of(browser.come_back(address).headers["Location"])

    assert (told["error"], told["error_code"]) == expected
    assert "code" not in told


def test_a_suspended_person_gets_no_code(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    browser.redeem(browser.code(person))
    account = session.scalars(select(Account)).one()
    account.suspended_at, account.suspension_reason = utc_now(), "spam"
    session.commit()

    told = browser.answer(person)

    assert (told["error"], told["error_code"]) == ("access_denied", "account_suspended")
    assert "code" not in told
    assert count(session, AuthorizationCode) == 1


def test_friends_are_looked_up_after_a_sign_in_by_browser_too(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    browser.code(facebook.person())

    assert count(session, FriendLookup) == 1


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


def test_no_secret_of_a_sign_in_reaches_the_log(
    browser: Browser, facebook: FacebookServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        address = browser.at_facebook(facebook.person())
        code = query_of(browser.come_back(address).headers["Location"])["code"]
        failing = browser.at_facebook(facebook.person())
        facebook.answer(EXCHANGE, answering(200, '{"token": "a-secret-answer"}'))
        browser.come_back(failing)

    brought = query_of(address)
    assert "facebook failed" in caplog.text
    for secret in (OUR_APP[1], brought["code"], brought["state"], code, "a-secret-answer"):
        assert not any(secret in str(vars(record)) for record in caplog.records), secret


def test_sign_ins_that_nobody_finished_are_forgotten(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    browser.begin()
    kept = browser.at_facebook(facebook.person())
    [left, _] = session.scalars(select(AuthorizationRequest).order_by(AuthorizationRequest.expires_at))
    left.expires_at = utc_now()
    session.commit()

    assert prune_authorization_requests(session, now=utc_now()) == 1
    session.commit()

    assert "code" in query_of(browser.come_back(kept).headers["Location"])

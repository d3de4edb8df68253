"""What the app and the person learn when Facebook does not give a code or a token that counts."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.browsers import ISSUER, STATE, Browser, query_of
from auth.conftest import MakeApp
from auth.facebook_server import Answer, FacebookServer, answering
from auth.web_flow.answers import EXCHANGE, cookie_of, count
from igloo_auth.models.accounts import Account
from igloo_auth.models.web_sign_ins import AuthorizationCode
from igloo_common.clock import utc_now


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

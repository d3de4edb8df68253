"""Signing in through a browser: from the app's request to Facebook and back to the app."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

import pytest
import requests
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.browsers import ISSUER, PHONE, REDIRECT_URI, STATE, Browser, query_of
from auth.conftest import MakeApp
from auth.facebook_server import OUR_APP, FacebookServer, answering
from auth.web_flow.answers import EXCHANGE, cookie_of, count, refusal
from igloo_auth.api.browser_bindings import MOST_AT_ONCE
from igloo_auth.models.accounts import Account
from igloo_auth.models.friend_lookups import FriendLookup
from igloo_auth.models.web_sign_ins import AuthorizationCode, AuthorizationRequest
from igloo_auth.operations.pruning import prune_authorization_requests
from igloo_auth.operations.web_sign_ins import REQUEST_SECONDS
from igloo_auth.settings import FACEBOOK_GRAPH_VERSION
from igloo_common.clock import utc_now


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


def test_friends_are_looked_up_after_a_sign_in_by_browser_too(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    browser.code(facebook.person())

    assert count(session, FriendLookup) == 1


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

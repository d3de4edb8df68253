"""Authorization codes: traded once, by the app that asked, for the session of the person who came back."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.browsers import PHONE, REDIRECT_URI, WEB, Browser
from auth.facebook_server import FacebookServer
from auth.outboxes import published
from auth.phones import Phone, ask_token
from factories.waiting import wait_for_a_waiter
from igloo_auth.jobs.pruning import prune
from igloo_auth.models.accounts import Account
from igloo_auth.models.security_events import SecurityEvent
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.models.web_sign_ins import AuthorizationCode, AuthorizationRequest
from igloo_auth.operations.authorization_codes import CODE_SECONDS
from igloo_auth.operations.pruning import prune_authorization_codes
from igloo_auth.operations.sessions import lock_account
from igloo_common.clock import utc_now

RACERS = 8


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Open a browser."""
    return Browser(client=app.test_client())


def refusal(answer: TestResponse) -> tuple[int, str, str, str | None]:
    """Return what a problem document of the token endpoint says."""
    problem = answer.json or {}
    return answer.status_code, problem["error"], problem["code"], problem.get("reason")


def invalid(reason: str) -> tuple[int, str, str, str]:
    """Return the refusal of a code that does not fit."""
    return 400, "invalid_grant", "authorization_code_invalid", reason


def living(session: Session) -> list[DeviceSession]:
    """Return the sessions that have not ended."""
    session.rollback()
    return list(session.scalars(select(DeviceSession).where(DeviceSession.revoked_at.is_(None))))


def test_a_code_gives_a_session_of_the_person_on_the_device(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person("Puffin")
    by_sdk = Phone.signed_in(browser.client, facebook.token(person))

    answer = browser.redeem(browser.code(person), device_name="Puffin's phone", platform="ios")

    granted = answer.json or {}
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert granted["user_id"] == by_sdk.user_id
    opened = session.get_one(DeviceSession, granted["session_id"])
    assert (opened.device_name, opened.platform) == ("Puffin's phone", "ios")
    line = session.scalars(select(SecurityEvent).where(SecurityEvent.session_id == opened.id)).one()
    assert (line.kind, line.details["grant_type"]) == ("signed_in", "authorization_code")
    Phone(client=browser.client, granted=granted).refresh()


def test_only_a_hash_of_the_code_is_kept_for_a_minute(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    code = browser.code(facebook.person())

    kept = session.scalars(select(AuthorizationCode)).one()
    assert len(code) == 43
    assert kept.code_hash == hashlib.sha256(code.encode()).digest()
    assert kept.expires_at - kept.issued_at == timedelta(seconds=CODE_SECONDS)


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "a code that nobody got": ({"code": "A" * 43}, "unknown"),
    "another client": ({"client_id": WEB, "redirect_uri": None}, "client"),
    "an unknown client": ({"client_id": "nobody"}, "client"),
    "another address of the client": ({"redirect_uri": "http://127.0.0.1/signed-in"}, "redirect_uri"),
    "no address": ({"redirect_uri": None}, "redirect_uri"),
    "an address of somebody else": ({"redirect_uri": "https://evil.example/"}, "redirect_uri"),
    "another verifier": ({"code_verifier": "v" * 43}, "verifier"),
}


@pytest.mark.parametrize(("different", "reason"), WRONG.values(), ids=WRONG.keys())
def test_who_cannot_prove_to_have_asked_gets_nothing_and_spoils_nothing(
    browser: Browser,
    facebook: FacebookServer,
    session: Session,
    different: dict[str, str | None],
    reason: str,
) -> None:
    code = browser.code(facebook.person())

    refused = browser.redeem(**{"code": code, **different})  # type: ignore[arg-type]  # code is never None

    assert refusal(refused) == invalid(reason)
    assert living(session) == []
    assert browser.redeem(code).status_code == 200


INCOMPLETE: dict[str, dict[str, str | None]] = {
    "no client": {"client_id": None},
    "no verifier": {"code_verifier": None},
    "a short verifier": {"code_verifier": "v" * 42},
    "a long verifier": {"code_verifier": "v" * 129},
    "a verifier with a space": {"code_verifier": "v" * 42 + " "},
    "a verifier with a line break": {"code_verifier": "v" * 43 + "\n"},
    "an endless code": {"code": "A" * 5000},
    "an empty code": {"code": ""},
}


@pytest.mark.parametrize("different", INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_a_request_that_lacks_something_is_no_attempt(
    browser: Browser, facebook: FacebookServer, different: dict[str, str | None]
) -> None:
    code = browser.code(facebook.person())

    refused = browser.redeem(**{"code": code, **different})  # type: ignore[arg-type]  # code is never None

    assert refusal(refused)[:3] == (400, "invalid_request", "invalid_request")
    assert browser.redeem(code).status_code == 200


def test_an_app_on_a_loopback_port_presents_the_port_that_it_asked_with(
    browser: Browser, facebook: FacebookServer
) -> None:
    code = browser.code(facebook.person(), redirect_uri="http://127.0.0.1:51004/signed-in")

    other_port = browser.redeem(code, redirect_uri="http://127.0.0.1:51005/signed-in")
    same_port = browser.redeem(code, redirect_uri="http://127.0.0.1:51004/signed-in")

    assert refusal(other_port) == invalid("redirect_uri")
    assert same_port.status_code == 200


def test_a_client_with_one_address_need_not_repeat_it(browser: Browser, facebook: FacebookServer) -> None:
    code = browser.code(facebook.person(), client_id=WEB, redirect_uri=None)

    assert browser.redeem(code, client_id=WEB, redirect_uri=None).status_code == 200


def test_a_code_is_good_for_a_minute(browser: Browser, facebook: FacebookServer, session: Session) -> None:
    code = browser.code(facebook.person())
    kept = session.scalars(select(AuthorizationCode)).one()
    kept.expires_at = utc_now()
    session.commit()

    answer = browser.redeem(code)

    assert refusal(answer) == (400, "invalid_grant", "authorization_code_expired", None)
    assert living(session) == []


def test_a_code_that_comes_again_ends_the_session_that_it_gave(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    other = Phone.signed_in(browser.client, facebook.token(facebook.person()))
    code = browser.code(facebook.person())
    phone = Phone(client=browser.client, granted=browser.redeem(code).json or {})

    again, once_more = browser.redeem(code), browser.redeem(code)

    for answer in (again, once_more):
        assert refusal(answer) == (400, "invalid_grant", "authorization_code_reused", None)
    refreshed = refusal(phone.try_refresh())
    assert refreshed == (400, "invalid_grant", "session_revoked", "authorization_code_reused")
    assert phone.get("/v1/account").status_code == 401
    told = [
        event.data["session_id"]
        for event in published(session, "auth.session.revoked.v1")
        if event.data["reason"] == "authorization_code_reused"
    ]
    assert told == [phone.session_id]
    lines = session.scalars(
        select(SecurityEvent).where(SecurityEvent.kind == "authorization_code_reused")
    ).all()
    assert [str(line.session_id) for line in lines] == [phone.session_id]
    other.refresh()


def test_a_code_that_comes_again_without_its_proof_ends_nothing(
    browser: Browser, facebook: FacebookServer
) -> None:
    code = browser.code(facebook.person())
    phone = Phone(client=browser.client, granted=browser.redeem(code).json or {})

    assert refusal(browser.redeem(code, code_verifier="v" * 43)) == invalid("verifier")
    assert refusal(browser.redeem(code, client_id=WEB, redirect_uri=None)) == invalid("client")
    phone.refresh()


def test_of_racing_redemptions_one_session_at_most_remains(
    app: Flask, browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    code = browser.code(facebook.person())

    def redeem(_: int) -> TestResponse:
        return Browser(client=app.test_client(), verifier=browser.verifier).redeem(code)

    with ThreadPoolExecutor(RACERS) as racers:
        answers = list(racers.map(redeem, range(RACERS)))

    assert sorted(answer.status_code for answer in answers) == [200, *[400] * (RACERS - 1)]
    reused = {refusal(answer)[2] for answer in answers if answer.status_code != 200}
    assert reused == {"authorization_code_reused"}
    assert living(session) == []
    assert len(session.scalars(select(DeviceSession)).all()) == 1


def test_a_redemption_waits_for_who_takes_the_accounts_codes_away(
    app: Flask, browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    code = browser.code(facebook.person())
    account_id = session.scalars(select(Account.id)).one()
    lock_account(session, account_id=account_id)

    def redeem() -> TestResponse:
        return Browser(client=app.test_client(), verifier=browser.verifier).redeem(code)

    with ThreadPoolExecutor(1) as thread:
        racing: Future[Any] = thread.submit(redeem)
        wait_for_a_waiter(session, racing)
        session.execute(delete(AuthorizationCode).where(AuthorizationCode.account_id == account_id))
        session.commit()

        assert refusal(racing.result()) == invalid("unknown")


def test_a_person_suspended_between_code_and_session_gets_none(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    code = browser.code(facebook.person())
    account = session.scalars(select(Account)).one()
    account.suspended_at, account.suspension_reason = utc_now(), "spam"
    session.commit()

    assert refusal(browser.redeem(code)) == (400, "invalid_grant", "account_suspended", "spam")
    assert living(session) == []


def test_a_person_deleted_between_code_and_session_gets_none(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    code = browser.code(facebook.person())
    account = session.scalars(select(Account)).one()
    account.deleted_at, account.display_name, account.picture_url = utc_now(), "", None
    session.commit()

    assert refusal(browser.redeem(code))[:3] == (400, "invalid_grant", "account_deleted")
    assert living(session) == []


@pytest.mark.parametrize("as_json", [False, True], ids=["form", "JSON"])
def test_what_the_endpoint_does_not_know_it_ignores(
    browser: Browser, facebook: FacebookServer, as_json: bool
) -> None:
    body: dict[str, Any] = {
        "grant_type": "authorization_code",
        "code": browser.code(facebook.person()),
        "redirect_uri": REDIRECT_URI,
        "client_id": PHONE,
        "client_secret": "",
        "code_verifier": browser.verifier,
        "scope": "openid profile",
        "audience": "somebody",
    }

    answer = browser.client.post("/v1/auth/token", **{"json" if as_json else "data": body})

    assert answer.status_code == 200
    assert "id_token" not in (answer.json or {})


@pytest.mark.parametrize("password", ["", "secret"])
@pytest.mark.parametrize("path", ["/v1/auth/token", "/v1/auth/revoke"])
def test_a_client_with_a_password_is_told_that_none_has_one(
    browser: Browser, facebook: FacebookServer, path: str, password: str
) -> None:
    code = browser.code(facebook.person())
    body = {"grant_type": "authorization_code", "code": code, "token": "x", "redirect_uri": REDIRECT_URI}

    answer = browser.client.post(path, data=body, auth=(PHONE, password))

    assert refusal(answer)[:3] == (401, "invalid_client", "invalid_client")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="igloo"'
    assert browser.redeem(code).status_code == 200


def test_a_bearer_token_that_comes_along_is_not_looked_at(browser: Browser, facebook: FacebookServer) -> None:
    phone = Phone.signed_in(browser.client, facebook.token(facebook.person()))

    answer = browser.client.post(
        "/v1/auth/token",
        data={"grant_type": "refresh_token", "refresh_token": phone.refresh_token},
        headers={"Authorization": "Bearer expired"},
    )

    assert answer.status_code == 200


def test_expired_codes_are_forgotten_traded_or_not(
    browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    person = facebook.person()
    traded, untraded, kept = (browser.code(person) for _ in range(3))
    browser.redeem(traded)
    for code in (traded, untraded):
        row = session.get_one(AuthorizationCode, hashlib.sha256(code.encode()).digest())
        row.expires_at = utc_now()
    session.commit()

    assert prune_authorization_codes(session, now=utc_now()) == 2
    session.commit()

    assert refusal(browser.redeem(untraded)) == invalid("unknown")
    assert browser.redeem(kept).status_code == 200


def test_the_worker_forgets_sign_ins_and_codes_that_are_over(
    app: Flask, browser: Browser, facebook: FacebookServer, session: Session
) -> None:
    browser.code(facebook.person())
    browser.begin()
    session.execute(update(AuthorizationCode).values(expires_at=utc_now()))
    session.execute(update(AuthorizationRequest).values(expires_at=utc_now()))
    session.commit()

    with app.app_context():
        prune()

    assert session.scalars(select(AuthorizationCode)).all() == []
    assert session.scalars(select(AuthorizationRequest)).all() == []


def test_the_grant_is_refused_without_a_word_of_who_the_person_is(browser: Browser) -> None:
    answer = ask_token(
        browser.client,
        "authorization_code",
        code="A" * 43,
        client_id=PHONE,
        redirect_uri=REDIRECT_URI,
        code_verifier=browser.verifier,
    )

    assert set(answer.json or {}) == {
        "type",
        "title",
        "status",
        "code",
        "detail",
        "error",
        "reason",
        "request_id",
    }

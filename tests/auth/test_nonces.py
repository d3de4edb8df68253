"""Nonces: known again without being stored, good for one sign-in and for ten minutes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from auth.facebook_server import FacebookServer
from auth.limited_logins import LimitedPhone, sign_with_a_kept_key
from igloo_auth.models.accounts import Account
from igloo_auth.models.nonces import UsedNonce
from igloo_auth.models.sessions import DeviceSession
from igloo_auth.operations.nonces import NonceInvalid, NonceReused, issue_nonce, spend_nonce
from igloo_auth.operations.pruning import CLOCKS_DIFFER, prune_used_nonces
from igloo_auth.policies.nonces import NONCE_LIFETIME, read_nonce
from igloo_common.clock import utc_now

KEY = "a-test-key-that-opens-nothing-anywhere"


@pytest.fixture
def limited(client: FlaskClient, facebook: FacebookServer) -> LimitedPhone:
    """Return somebody's phone."""
    sign_with_a_kept_key(facebook)
    return LimitedPhone(client=client, facebook=facebook, person=facebook.person("Snow Hare"))


@pytest.mark.parametrize("body", [{}, {"json": {}}, {"data": {"x": "y"}}], ids=["none", "JSON", "form"])
def test_anybody_gets_a_nonce_of_their_own_and_nothing_is_stored(
    client: FlaskClient, session: Session, body: dict[str, object]
) -> None:
    answers = [client.post("/v1/auth/nonces", **body) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {201}
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert {(answer.json or {})["expires_in"] for answer in answers} == {600}
    assert len({(answer.json or {})["nonce"] for answer in answers}) == 3
    assert session.scalar(select(func.count()).select_from(UsedNonce)) == 0


def test_a_nonce_is_spent_once(session: Session) -> None:
    now = utc_now()
    nonce, another = (issue_nonce(secret_key=KEY, now=now) for _ in range(2))

    spend_nonce(session, nonce=nonce, secret_key=KEY, now=now)
    spend_nonce(session, nonce=another, secret_key=KEY, now=now)

    with pytest.raises(NonceReused):
        spend_nonce(session, nonce=nonce, secret_key=KEY, now=now)


def test_a_nonce_is_good_until_it_expires_and_no_longer(session: Session) -> None:
    now = utc_now().replace(microsecond=0)
    nonce = issue_nonce(secret_key=KEY, now=now)

    with pytest.raises(NonceInvalid) as refusal:
        spend_nonce(session, nonce=nonce, secret_key=KEY, now=now + NONCE_LIFETIME)
    assert refusal.value.extra["reason"] == "expired"
    spend_nonce(session, nonce=nonce, secret_key=KEY, now=now + NONCE_LIFETIME - timedelta(seconds=1))


def test_another_spelling_of_a_nonce_is_the_same_nonce(session: Session) -> None:
    now = utc_now()
    nonce = issue_nonce(secret_key=KEY, now=now)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 40 bytes leave four bits of the last character unused.
    respelled = nonce[:-1] + alphabet[alphabet.index(nonce[-1]) ^ 1]
    spend_nonce(session, nonce=nonce, secret_key=KEY, now=now)

    assert respelled != nonce
    with pytest.raises(NonceReused):
        spend_nonce(session, nonce=respelled, secret_key=KEY, now=now)


@pytest.mark.parametrize("position", range(0, 53, 4))
def test_a_nonce_with_any_part_changed_is_not_ours(position: int) -> None:
    nonce = issue_nonce(secret_key=KEY, now=utc_now())
    changed = nonce[:position] + ("A" if nonce[position] != "A" else "B") + nonce[position + 1 :]

    assert read_nonce(nonce, secret_key=KEY) is not None
    assert read_nonce(changed, secret_key=KEY) is None


@pytest.mark.parametrize(
    "text", ["", "n", "A" * 54, "é" * 54, "!" * 54, "A" * 53 + "\n", "A" * 4000], ids=lambda text: text[:3]
)
def test_what_is_no_nonce_at_all_is_not_ours(text: str) -> None:
    assert read_nonce(text, secret_key=KEY) is None


def test_a_nonce_of_another_key_is_not_ours() -> None:
    nonce = issue_nonce(secret_key=KEY, now=utc_now())

    assert read_nonce(nonce, secret_key=KEY + "2") is None


def test_the_same_token_twice_is_a_reused_nonce(limited: LimitedPhone, session: Session) -> None:
    id_token = limited.id_token()

    first, second = limited.present(id_token), limited.present(id_token)

    assert first.status_code == 200
    assert (second.status_code, (second.json or {})["code"]) == (400, "nonce_reused")
    assert session.scalar(select(func.count()).select_from(DeviceSession)) == 1


def test_two_tokens_with_one_nonce_are_one_sign_in(limited: LimitedPhone, facebook: FacebookServer) -> None:
    nonce = limited.nonce()
    other = LimitedPhone(client=limited.client, facebook=facebook, person=facebook.person("Lynx"))
    assert limited.present(limited.id_token(nonce=nonce)).status_code == 200

    assert (other.present(other.id_token(nonce=nonce)).json or {})["code"] == "nonce_reused"


def test_of_many_that_present_one_token_at_once_exactly_one_gets_in(
    app: Flask, limited: LimitedPhone, facebook: FacebookServer, session: Session
) -> None:
    id_token = limited.id_token()

    def present() -> int:
        phone = LimitedPhone(client=app.test_client(), facebook=facebook, person=limited.person)
        return phone.present(id_token).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: present(), range(12)))

    assert sorted(statuses) == [200, *[400] * 11]
    assert session.scalar(select(func.count()).select_from(DeviceSession)) == 1


def test_a_sign_in_that_is_refused_leaves_the_nonce_as_it_was(
    limited: LimitedPhone, session: Session
) -> None:
    assert limited.present(limited.id_token()).status_code == 200
    account = session.scalars(select(Account)).one()
    account.suspended_at, account.suspension_reason = utc_now(), "spam"
    session.commit()
    id_token = limited.id_token()

    refused = [(limited.present(id_token).json or {})["code"] for _ in range(2)]
    session.execute(text("UPDATE accounts SET suspended_at = NULL, suspension_reason = NULL"))
    session.commit()

    assert refused == ["account_suspended", "account_suspended"]
    assert limited.present(id_token).status_code == 200


def test_used_nonces_are_forgotten_once_no_clock_takes_them_any_more(session: Session) -> None:
    now = utc_now()
    for age in (timedelta(), NONCE_LIFETIME, NONCE_LIFETIME + CLOCKS_DIFFER):
        issued_at = now - age
        nonce = issue_nonce(secret_key=KEY, now=issued_at)
        spend_nonce(session, nonce=nonce, secret_key=KEY, now=issued_at)

    assert prune_used_nonces(session, now=now) == 1
    assert session.scalar(select(func.count()).select_from(UsedNonce)) == 2

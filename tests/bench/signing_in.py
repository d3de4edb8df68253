"""Sign-ins and refreshes: every request with a proof of its own, made before the window opens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

import requests

from bench.load import Request
from bench.scenarios import Scenario
from igloo_local.addresses import Addresses
from igloo_local.phone import Phone, Refused, wait_until

TIMEOUT_SECONDS = 15.0
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Person = Mapping[str, str]


def make_people(addresses: Addresses, count: int) -> list[Person]:
    """Make people at the Facebook stand-in, who have not signed in yet."""
    url = f"{addresses.facebook}/{addresses.facebook_app_id}/accounts/test-users"
    with requests.Session() as http:
        return [
            http.post(url, data={"name": f"Hare {n}"}, timeout=TIMEOUT_SECONDS).json() for n in range(count)
        ]


def sign_ins(work: str, people: Iterable[Person]) -> Scenario:
    """Sign each of these people in once, with the token of Facebook's SDK."""
    return Scenario(
        work=work,
        requests=[
            _grant("facebook_access_token", facebook_access_token=each["access_token"]) for each in people
        ],
    )


def limited_logins(addresses: Addresses, people: Iterable[Person]) -> Scenario:
    """Sign each of these people in once, with an id token that carries a nonce of its own."""
    with requests.Session() as http:
        id_tokens = [_limited_login(http, addresses, each) for each in people]
    return Scenario(
        work="sign in, Limited Login",
        requests=[_grant("facebook_id_token", facebook_id_token=token) for token in id_tokens],
    )


def refreshes(addresses: Addresses, people: Sequence[Person]) -> Scenario:
    """Refresh one session of each of these people."""
    with requests.Session() as http:
        tokens = [_signed_in(http, addresses, each)["refresh_token"] for each in people]
    return Scenario(
        work="refresh", requests=[_grant("refresh_token", refresh_token=token) for token in tokens]
    )


def first_calls(addresses: Addresses, people: Sequence[Person]) -> Scenario:
    """Read each person's account once, with an access token that no process has seen."""
    with requests.Session() as http:
        tokens = [_signed_in(http, addresses, each)["access_token"] for each in people]
    return Scenario(
        work="read account, token not seen before", requests=[_account(token) for token in tokens]
    )


def later_calls(addresses: Addresses, person: Person, count: int) -> Scenario:
    """Read one person's account over and over, with one access token."""
    with requests.Session() as http:
        token = _signed_in(http, addresses, person)["access_token"]
    return Scenario(work="read account, token seen before", requests=[_account(token)] * count)


def seconds_until_refused(addresses: Addresses, person: Person) -> float:
    """End a session, and return how long social still answered its access token."""
    phone = Phone(gateway=addresses.gateway)
    phone.sign_in(person["access_token"])
    phone.call("GET", "/v1/users/me")
    phone.call("DELETE", "/v1/auth/sessions")
    ended = time.monotonic()
    wait_until(lambda: _is_refused(phone), bool, what="social refuses the ended session", pause_seconds=0.01)
    return time.monotonic() - ended


def _is_refused(phone: Phone) -> bool:
    try:
        phone.call("GET", "/v1/users/me")
    except Refused:
        return True
    return False


def _account(access_token: str) -> Request:
    return Request(method="GET", path="/v1/account", headers={"Authorization": f"Bearer {access_token}"})


def _grant(grant_type: str, **parameters: str) -> Request:
    body = urlencode({"grant_type": grant_type, **parameters}).encode()
    return Request(method="POST", path="/v1/auth/token", headers=FORM, body=body)


def _signed_in(http: requests.Session, addresses: Addresses, person: Person) -> dict[str, str]:
    answer = http.post(
        f"{addresses.gateway}/v1/auth/token",
        data={"grant_type": "facebook_access_token", "facebook_access_token": person["access_token"]},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    granted: dict[str, str] = json.loads(answer.content)
    return granted


def _limited_login(http: requests.Session, addresses: Addresses, person: Person) -> str:
    nonce = http.post(f"{addresses.gateway}/v1/auth/nonces", timeout=TIMEOUT_SECONDS)
    nonce.raise_for_status()
    answer = http.post(
        f"{addresses.facebook}/stand-in/people/{person['id']}/id-tokens",
        data={"nonce": nonce.json()["nonce"]},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    return str(answer.json()["id_token"])

"""OAuth clients that others have written get through the web flow as they are."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from e2e.conftest import Town
from e2e.oauth_libraries import TIMEOUT_SECONDS, Authlib, Client, Oauthlib, Server
from igloo_local.phone import wait_until

pytestmark = pytest.mark.e2e

MOST_REDIRECTS = 5
# The kinds of RFC 8252: a port that was free, over IPv4 and IPv6, a scheme of the app, a claimed address.
REDIRECT_URIS = [
    "http://127.0.0.1:51004/signed-in",
    "http://[::1]:51004/signed-in",
    "com.example.igloo:/signed-in",
    "https://igloo.example.com/signed-in",
]


LIBRARIES: list[Callable[[Server], Client]] = [Authlib, Oauthlib]


@pytest.fixture(autouse=True)
def _plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the libraries speak to a stack without TLS, as their own documents say."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


def server_of(town: Town, redirect_uri: str) -> Server:
    """Discover a stack."""
    answer = requests.get(f"{town.gateway}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS)
    return Server(document=answer.json(), redirect_uri=redirect_uri)


def new_person(town: Town, name: str) -> str:
    """Make somebody at Facebook."""
    addresses = town.stack.addresses
    made = requests.post(
        f"{addresses.facebook}/{addresses.facebook_app_id}/accounts/test-users",
        data={"name": name},
        timeout=TIMEOUT_SECONDS,
    )
    return str(made.json()["id"])


def sign_in(town: Town, address: str, *, person_id: str, until: str) -> str:
    """Be the browser, and its person at Facebook; return the address that the app is opened with."""
    with requests.Session() as browser:
        for _ in range(MOST_REDIRECTS):
            at_facebook = address.startswith(town.stack.addresses.facebook)
            answer = browser.get(
                address,
                params={"person_id": person_id} if at_facebook else None,
                allow_redirects=False,
                timeout=TIMEOUT_SECONDS,
            )
            assert answer.status_code == 302, answer.text
            assert at_facebook or answer.headers["Referrer-Policy"] == "no-referrer"
            address = answer.headers["Location"]
            if address.startswith(f"{until}?"):
                assert not [cookie.name for cookie in browser.cookies if "sign_in" in cookie.name]
                return address
    raise AssertionError(f"the browser never came back to {until}")


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("redirect_uri", REDIRECT_URIS)
def test_a_client_signs_in_refreshes_and_signs_out_by_its_librarys_own_means(
    town: Town, library: Callable[[Server], Client], redirect_uri: str
) -> None:
    server = server_of(town, redirect_uri)
    client = library(server)
    account = f"{town.gateway}/v1/account"

    answer = sign_in(
        town,
        client.authorization_url(),
        person_id=new_person(town, "Snow Hare"),
        until=redirect_uri,
    )
    assert parse_qs(urlsplit(answer).query)["iss"] == [server.document["issuer"]]
    first = dict(client.fetch_token(answer))
    assert client.get(account).json()["display_name"] == "Snow Hare"

    second = dict(client.refresh())
    assert second["session_id"] == first["session_id"]
    assert second["refresh_token"] != first["refresh_token"]
    assert client.get(account).json()["id"] == first["user_id"]

    client.expire()
    assert client.get(account).status_code == 200, "the library refreshes by itself"

    assert client.revoke().status_code == 200
    refused = wait_until(
        lambda: client.get(f"{town.gateway}/v1/feed"),
        lambda response: response.status_code == requests.codes.unauthorized,
        what="the session ended everywhere",
    )
    assert refused.json()["code"] == "session_revoked"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_understands_that_a_code_is_good_once(
    town: Town, library: Callable[[Server], Client]
) -> None:
    client = library(server_of(town, REDIRECT_URIS[0]))
    answer = sign_in(
        town, client.authorization_url(), person_id=new_person(town, "Puffin"), until=REDIRECT_URIS[0]
    )
    client.fetch_token(answer)

    with pytest.raises(client.error, match="invalid_grant"):
        client.fetch_token(answer)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_understands_that_the_person_cancelled(
    town: Town, library: Callable[[Server], Client]
) -> None:
    client = library(server_of(town, REDIRECT_URIS[2]))
    with requests.Session() as browser:
        begun = browser.get(client.authorization_url(), allow_redirects=False, timeout=TIMEOUT_SECONDS)
        state = parse_qs(urlsplit(begun.headers["Location"]).query)["state"][0]
        back = browser.get(
            f"{town.gateway}/v1/auth/facebook/callback",
            params={"state": state, "error": "access_denied", "error_reason": "user_denied"},
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )

    with pytest.raises(client.error):
        client.fetch_token(back.headers["Location"])

"""A browser in a test, and the app beside it that sends somebody through the web flow."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.phones import ask_token
from igloo_auth.policies.proof_keys import challenge_of
from igloo_local.facebook.people import Person

PHONE = "igloo-phone"
WEB = "igloo-web"
OAUTH_CLIENTS = {
    PHONE: [
        "com.example.igloo:/signed-in",
        "http://127.0.0.1/signed-in",
        "http://[::1]/signed-in",
        "https://igloo.example.com/signed-in",
        "http://localhost:7000/signed-in",
    ],
    WEB: ["https://app.example.com/?from=igloo"],
}
REDIRECT_URI = OAUTH_CLIENTS[PHONE][0]
ISSUER = "http://igloo.test"
STATE = "the app's own state"
TIMEOUT_SECONDS = 10


def query_of(address: str | None) -> dict[str, str]:
    """Return the parameters of an address."""
    return dict(parse_qsl(urlsplit(address or "").query, keep_blank_values=True))


@dataclass(kw_only=True)
class Browser:
    """One browser with its cookies; the app's proof key is the same for all that it begins."""

    client: FlaskClient
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def begin(self, **different: str | None) -> TestResponse:
        """Open the authorization endpoint; None leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": PHONE,
            "redirect_uri": REDIRECT_URI,
            "state": STATE,
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **different,
        }
        query = {name: value for name, value in asked.items() if value is not None}
        return self.client.get("/v1/auth/facebook/authorize", base_url=ISSUER, query_string=query)

    def at_facebook(self, person: Person, **different: str | None) -> str:
        """Begin, sign in with Facebook, and return the address at which Facebook sends the browser back."""
        begun = self.begin(**different)
        assert begun.status_code == 302, begun.text
        dialog = requests.get(
            begun.headers["Location"],
            params={"person_id": person.id},
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
        assert dialog.status_code == 302, dialog.text
        return dialog.headers["Location"]

    def come_back(self, address: str) -> TestResponse:
        """Follow Facebook's redirect to our callback."""
        assert address.startswith(f"{ISSUER}/v1/auth/facebook/callback?")
        return self.client.get(address.removeprefix(ISSUER), base_url=ISSUER)

    def answer(self, person: Person, **different: str | None) -> dict[str, str]:
        """Go through all of it, and return the parameters that the app gets."""
        back = self.come_back(self.at_facebook(person, **different))
        assert back.status_code == 302, back.text
        return query_of(back.headers["Location"])

    def code(self, person: Person, **different: str | None) -> str:
        """Go through all of it, and return the app's code."""
        return self.answer(person, **different)["code"]

    def redeem(self, code: str, **different: str | None) -> TestResponse:
        """Trade a code, as the app that asked for it; None leaves a parameter out."""
        sent = {
            "code": code,
            "client_id": PHONE,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": self.verifier,
            **different,
        }
        given = {name: value for name, value in sent.items() if value is not None}
        return ask_token(self.client, "authorization_code", **given)

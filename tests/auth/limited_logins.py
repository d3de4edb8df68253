"""A phone that logs in with Limited Login: its nonce from us, its id token from the stand-in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.facebook_server import FacebookServer
from auth.phones import ask_token
from igloo_local.facebook.id_token_keys import IdTokenKey, new_key
from igloo_local.facebook.id_tokens import NO_FAULT, Fault
from igloo_local.facebook.people import Person


@cache
def keys_to_sign_with(count: int) -> tuple[IdTokenKey, ...]:
    """Return keys that take a moment to make, the same ones for every test of this process."""
    return tuple(new_key() for _ in range(count))


@dataclass(frozen=True, kw_only=True)
class LimitedPhone:
    """A phone on which one person logs in."""

    client: FlaskClient
    facebook: FacebookServer
    person: Person

    def nonce(self) -> str:
        """Get a nonce from igloo."""
        response = self.client.post("/v1/auth/nonces")
        assert response.status_code == 201, response.text
        return str((response.json or {})["nonce"])

    def id_token(
        self, *, nonce: str | None = None, friends: list[str] | None = None, fault: Fault = NO_FAULT
    ) -> str:
        """Log in at Facebook, with a fresh nonce if none is given."""
        return self.facebook.directory.id_tokens.issue(
            self.person,
            picture=f"http://facebook.test/pictures/{self.person.id}.svg",
            nonce=nonce or self.nonce(),
            friends=friends,
            fault=fault,
        )

    def present(self, id_token: str, **parameters: str) -> TestResponse:
        """Trade an id token in."""
        return ask_token(self.client, "facebook_id_token", facebook_id_token=id_token, **parameters)

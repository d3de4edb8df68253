"""A phone that logs in with Limited Login: its nonce from us, its id token from the stand-in."""

from __future__ import annotations

import json
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
def _key() -> IdTokenKey:
    """Return a key that takes a moment to make, the same one for every test of this process."""
    return new_key()


def sign_with_a_kept_key(facebook: FacebookServer) -> None:
    """Have a stand-in that has not signed anything yet begin with a key that is there already."""
    path = facebook.directory.settings.folder / "id_token_keys.json"
    path.write_text(json.dumps([{"pem": _key().pem}]))


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

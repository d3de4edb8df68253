"""A phone in a test: its tokens, and the calls that it makes to the auth service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def ask_token(client: FlaskClient, grant_type: str, **parameters: str) -> TestResponse:
    """Ask the token endpoint for something, as a form."""
    return client.post("/v1/auth/token", data={"grant_type": grant_type, **parameters})


@dataclass(kw_only=True)
class Phone:
    """A signed-in device; `granted` is the last answer of the token endpoint."""

    client: FlaskClient
    granted: dict[str, Any]

    @classmethod
    def signed_in(cls, client: FlaskClient, facebook_token: str, **parameters: str) -> Self:
        """Sign in with a token of Facebook's SDK."""
        response = ask_token(
            client, "facebook_access_token", facebook_access_token=facebook_token, **parameters
        )
        assert response.status_code == 200, response.text
        return cls(client=client, granted=response.json or {})

    @property
    def refresh_token(self) -> str:
        """The newest refresh token."""
        return str(self.granted["refresh_token"])

    @property
    def user_id(self) -> str:
        """Whose phone it is."""
        return str(self.granted["user_id"])

    @property
    def session_id(self) -> str:
        """The session of this device."""
        return str(self.granted["session_id"])

    def try_refresh(self, refresh_token: str | None = None) -> TestResponse:
        """Present a refresh token and keep nothing."""
        return ask_token(self.client, "refresh_token", refresh_token=refresh_token or self.refresh_token)

    def refresh(self) -> None:
        """Exchange the refresh token and keep the answer."""
        response = self.try_refresh()
        assert response.status_code == 200, response.text
        self.granted = response.json or {}

    def get(self, path: str) -> TestResponse:
        """Read something as this person."""
        return self.client.get(path, headers=self.authorization)

    def delete(self, path: str) -> TestResponse:
        """Delete something as this person."""
        return self.client.delete(path, headers=self.authorization)

    @property
    def authorization(self) -> dict[str, str]:
        """The header that makes this person the caller."""
        return {"Authorization": f"Bearer {self.granted['access_token']}"}

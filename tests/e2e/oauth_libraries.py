"""Two OAuth libraries, each set up as an app would: by the discovery document and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # its stubs lag behind it
from authlib.common.security import generate_token  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession  # type: ignore[import-untyped]
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from requests_oauthlib import OAuth2Session as OauthlibSession

from igloo_local.environments import NATIVE_CLIENT

TIMEOUT_SECONDS = 15


@dataclass(frozen=True, kw_only=True)
class Server:
    """What a client is told of the server: the discovery document, and its name there."""

    document: Mapping[str, Any]
    redirect_uri: str

    def endpoint(self, name: str) -> str:
        """Return the address of an endpoint."""
        return str(self.document[f"{name}_endpoint"])


class Client(Protocol):
    """A library, as an app would use it."""

    error: type[Exception]
    """What all errors of the library are."""

    def authorization_url(self) -> str:
        """Return where to open the browser."""

    def fetch_token(self, answer: str) -> Mapping[str, Any]:
        """Trade what the browser brought back."""

    def get(self, address: str) -> requests.Response:
        """Call the API."""

    def refresh(self) -> Mapping[str, Any]:
        """Ask for a fresh token."""

    def expire(self) -> None:
        """Let the token be over, as far as the library knows."""

    def revoke(self) -> requests.Response:
        """Sign out."""


class Authlib:
    """Authlib's client for requests."""

    error: type[Exception] = AuthlibBaseError

    def __init__(self, server: Server) -> None:
        self._server = server
        [auth_method] = server.document["token_endpoint_auth_methods_supported"]
        [challenge_method] = server.document["code_challenge_methods_supported"]
        self._session = AuthlibSession(
            NATIVE_CLIENT,
            redirect_uri=server.redirect_uri,
            scope=server.document["scopes_supported"],
            token_endpoint_auth_method=auth_method,
            code_challenge_method=challenge_method,
            token_endpoint=server.endpoint("token"),
            default_timeout=TIMEOUT_SECONDS,
        )
        self._verifier = generate_token(48)
        self._state = ""

    def authorization_url(self) -> str:
        """Return where to open the browser."""
        url, self._state = self._session.create_authorization_url(
            self._server.endpoint("authorization"), code_verifier=self._verifier
        )
        return str(url)

    def fetch_token(self, answer: str) -> Mapping[str, Any]:
        """Trade what the browser brought back."""
        token: Mapping[str, Any] = self._session.fetch_token(
            authorization_response=answer, state=self._state, code_verifier=self._verifier
        )
        return token

    def get(self, address: str) -> requests.Response:
        """Call the API."""
        response: requests.Response = self._session.get(address)
        return response

    def refresh(self) -> Mapping[str, Any]:
        """Ask for a fresh token."""
        token: Mapping[str, Any] = self._session.refresh_token()
        return token

    def expire(self) -> None:
        """Let the token be over, as far as the library knows."""
        self._session.token["expires_at"] = 1

    def revoke(self) -> requests.Response:
        """Sign out."""
        response: requests.Response = self._session.revoke_token(
            self._server.endpoint("revocation"), token_type_hint="refresh_token"
        )
        return response


class Oauthlib:
    """oauthlib's client, over requests-oauthlib."""

    error: type[Exception] = OAuth2Error

    def __init__(self, server: Server) -> None:
        self._server = server
        [challenge_method] = server.document["code_challenge_methods_supported"]
        self._client = WebApplicationClient(NATIVE_CLIENT)
        self._session = OauthlibSession(
            client=self._client,
            redirect_uri=server.redirect_uri,
            scope=server.document["scopes_supported"],
            pkce=challenge_method,
            auto_refresh_url=server.endpoint("token"),
            token_updater=lambda _: None,
        )

    def authorization_url(self) -> str:
        """Return where to open the browser."""
        url, _ = self._session.authorization_url(self._server.endpoint("authorization"))
        return str(url)

    def fetch_token(self, answer: str) -> Mapping[str, Any]:
        """Trade what the browser brought back."""
        token: Mapping[str, Any] = self._session.fetch_token(
            self._server.endpoint("token"),
            authorization_response=answer,
            # How this library is told that a client is public: "none" in the discovery document.
            include_client_id=True,
            timeout=TIMEOUT_SECONDS,
        )
        return token

    def get(self, address: str) -> requests.Response:
        """Call the API."""
        return self._session.get(address, timeout=TIMEOUT_SECONDS)

    def refresh(self) -> Mapping[str, Any]:
        """Ask for a fresh token."""
        token: Mapping[str, Any] = self._session.refresh_token(
            self._server.endpoint("token"), timeout=TIMEOUT_SECONDS
        )
        return token

    def expire(self) -> None:
        """Let the token be over, as far as the library knows."""
        self._session.token = {**self._session.token, "expires_in": -1, "expires_at": 1}

    def revoke(self) -> requests.Response:
        """Sign out."""
        address, headers, body = self._client.prepare_token_revocation_request(
            self._server.endpoint("revocation"), self._session.token["refresh_token"], "refresh_token"
        )
        return requests.post(address, data=body, headers=headers, timeout=TIMEOUT_SECONDS)

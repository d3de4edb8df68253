"""Facebook's Graph API: asks Facebook itself whose token this is, and whether it was made for our app."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from igloo_auth.facebook.answers import (
    FacebookTokenInvalid,
    FacebookUnavailable,
    TemporaryFailure,
    name_of,
    picture_of,
    read_answer,
    reason_against_token,
)
from igloo_auth.operations.accounts import FacebookPerson
from igloo_auth.settings import FacebookSettings

log = logging.getLogger(__name__)

ATTEMPTS: Final = 2
PROFILE_FIELDS: Final = "id,name,picture.width(320).height(320)"

# At DEBUG urllib3 logs the whole address of each request, and Graph takes tokens in the address.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """For how many seconds Facebook is waited for."""

    connect: float = 2.0
    read: float = 4.0
    budget: float = 8.0
    """No attempt begins after this much of one sign-in: Facebook must not keep our threads."""


class FacebookGraph:
    """The two questions that a sign-in asks, each a GET that is safe to repeat."""

    def __init__(
        self, settings: FacebookSettings, *, connections: int, patience: Patience | None = None
    ) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._root = f"{settings.graph_url}/{settings.graph_version}"
        self._http = requests.Session()
        # The adapter's own retries stay off: they would know neither our budget nor Graph's error codes.
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=connections, max_retries=0))

    def close(self) -> None:
        """Close the connections to Facebook."""
        self._http.close()

    def identify(self, user_token: str) -> FacebookPerson:
        """Return the person that an SDK's user token belongs to.

        Takes up to the budget of `Patience` and one more attempt: never call it inside a transaction.

        Raises:
            FacebookTokenInvalid: When the token is not valid, not for our app, or not a person's.
            FacebookUnavailable: When Facebook cannot be reached or does not make sense.
        """
        deadline = time.monotonic() + self._patience.budget
        user_id = self._inspect(user_token, deadline=deadline)
        profile = self._get("/me", {"fields": PROFILE_FIELDS}, access_token=user_token, deadline=deadline)
        if profile.get("id") != user_id:
            log.error("facebook answered for another person than the token's", extra={"path": "/me"})
            raise FacebookUnavailable("Facebook's answers contradict each other.")
        return FacebookPerson(
            facebook_user_id=user_id, display_name=name_of(profile), picture_url=picture_of(profile)
        )

    def _inspect(self, user_token: str, *, deadline: float) -> str:
        """Have Facebook say what the token is; without this, a token made for any other app would do.

        https://developers.facebook.com/docs/facebook-login/guides/access-tokens/debugging/
        """
        answer = self._get(
            "/debug_token",
            {"input_token": user_token},
            access_token=f"{self._settings.app_id}|{self._settings.app_secret}",
            deadline=deadline,
        )
        found = answer.get("data")
        if not isinstance(found, dict):
            raise FacebookUnavailable("Facebook's answer about the token cannot be read.")
        reason = reason_against_token(found, app_id=self._settings.app_id)
        if reason is not None:
            raise FacebookTokenInvalid("Facebook does not vouch for this token.", reason=reason)
        return str(found["user_id"])

    def _get(
        self, path: str, query: Mapping[str, str], *, access_token: str, deadline: float
    ) -> dict[str, Any]:
        """Ask Graph once, and once more when that may help and there is time."""
        signed = {**query, "access_token": access_token, "appsecret_proof": self._proof(access_token)}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(path, signed)
            except TemporaryFailure as error:
                log.warning("facebook failed", extra={"path": path, "attempt": attempt, "cause": str(error)})
            if time.monotonic() >= deadline:
                break
        raise FacebookUnavailable("Facebook does not answer just now.")

    def _ask(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            response = self._http.get(
                self._root + path,
                params=query,
                timeout=(self._patience.connect, self._patience.read),
                # A redirect would carry the tokens to wherever it points.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The error's text holds the address and so the token; it must not be chained into a log.
            raise TemporaryFailure(type(error).__name__) from None
        return read_answer(response, path=path)

    def _proof(self, access_token: str) -> str:
        """Prove that the call comes from a holder of the app secret.

        https://developers.facebook.com/docs/graph-api/guides/secure-requests/#appsecret_proof
        """
        secret = self._settings.app_secret.encode()
        return hmac.digest(secret, access_token.encode(), hashlib.sha256).hex()

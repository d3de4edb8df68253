"""Facebook's Graph API: asks Facebook itself whose token this is, for which app, and who the friends are."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from igloo_auth.facebook.answers import (
    FRIENDS_PATH,
    name_of,
    picture_of,
    read_answer,
    reason_against_token,
)
from igloo_auth.facebook.failures import FacebookFailed, FacebookTokenInvalid, TemporaryFailure
from igloo_auth.facebook.transport import Patience, as_temporary, make_session
from igloo_auth.operations.accounts import FacebookPerson
from igloo_auth.settings import FacebookSettings

__all__ = ["FacebookGraph", "Patience", "TokenHolder"]

log = logging.getLogger(__name__)

ATTEMPTS: Final = 2
PROFILE_FIELDS: Final = "id,name,picture.width(320).height(320)"
FRIENDS_PERMISSION: Final = "user_friends"
FRIENDS_A_PAGE: Final = 500
FRIENDS_PAGES: Final = 20
"""Nobody has more than 5,000 friends at Facebook; Graph may give fewer a page than it was asked for."""
_VERSION_HEADER: Final = "facebook-api-version"
_TOKEN_CHARACTERS: Final = re.compile(r"[\x21-\x7e]+")

# At DEBUG urllib3 logs the whole address of each request, and Graph takes tokens in the address.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


@dataclass(frozen=True, kw_only=True)
class TokenHolder(FacebookPerson):
    """The person that a user token belongs to, and what the token may ask for."""

    shares_friends: bool
    """Whether the token may ask for the person's friends (the permission `user_friends`)."""


class FacebookGraph:
    """What we ask Graph: each a GET, which is safe to repeat once."""

    def __init__(
        self, settings: FacebookSettings, *, connections: int, patience: Patience | None = None
    ) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._root = f"{settings.graph_url}/{settings.graph_version}"
        self._http = make_session(settings.graph_url, connections=connections)
        self._version_seen = settings.graph_version

    def close(self) -> None:
        """Close the connections to Facebook."""
        self._http.close()

    def identify(self, user_token: str) -> TokenHolder:
        """Return the person that an SDK's user token belongs to.

        Takes up to the budget of `Patience` and a little more: never call it inside a transaction.

        Raises:
            FacebookTokenInvalid: When the token is not valid, not for our app, or not a person's.
            FacebookUnavailable: When Facebook cannot be reached or does not answer in time.
            FacebookFailed: When its answers make no sense, or it refuses our app.
        """
        if not _TOKEN_CHARACTERS.fullmatch(user_token):
            raise FacebookTokenInvalid("not_valid")
        deadline = time.monotonic() + self._patience.budget
        facts = self._inspect(user_token, deadline=deadline)
        user_id, scopes = str(facts["user_id"]), facts.get("scopes")
        profile = self._get("/me", {"fields": PROFILE_FIELDS}, access_token=user_token, deadline=deadline)
        if profile.get("id") != user_id:
            log.error("facebook answered for another person than the token's", extra={"path": "/me"})
            raise FacebookFailed("Facebook's answers contradict each other.")
        return TokenHolder(
            facebook_user_id=user_id,
            display_name=name_of(profile),
            picture_url=picture_of(profile),
            shares_friends=isinstance(scopes, list) and FRIENDS_PERMISSION in scopes,
        )

    def friends_of(self, user_token: str) -> frozenset[str]:
        """Return the Facebook user ids of the token holder's friends who use our app and share their friends.

        https://developers.facebook.com/docs/graph-api/reference/user/friends/

        Raises:
            As `identify`; FacebookTokenInvalid also when the person has taken the permission back.
        """
        deadline = time.monotonic() + self._patience.budget * ATTEMPTS
        friends: set[str] = set()
        query = {"fields": "id", "limit": str(FRIENDS_A_PAGE)}
        for _ in range(FRIENDS_PAGES):
            page = self._get(FRIENDS_PATH, query, access_token=user_token, deadline=deadline)
            friends.update(_ids_in(page))
            after = _next_cursor(page)
            if after is None:
                return frozenset(friends)
            if time.monotonic() >= deadline:
                raise TemporaryFailure("out of time").as_refusal()
            query["after"] = after
        log.warning("facebook has more friends for us than anybody can have", extra={"pages": FRIENDS_PAGES})
        return frozenset(friends)

    def _inspect(self, user_token: str, *, deadline: float) -> Mapping[str, Any]:
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
            raise FacebookFailed("Facebook's answer about the token cannot be read.")
        reason = reason_against_token(found, app_id=self._settings.app_id)
        if reason is not None:
            raise FacebookTokenInvalid(reason)
        return found

    def _get(
        self, path: str, query: Mapping[str, str], *, access_token: str, deadline: float
    ) -> dict[str, Any]:
        """Ask Graph once, and once more when that may help and there is time."""
        signed = {**query, "access_token": access_token, "appsecret_proof": self._proof(access_token)}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(path, signed, deadline=deadline)
            except TemporaryFailure as error:
                log.warning("facebook failed", extra={"path": path, "attempt": attempt, "cause": str(error)})
                refusal = error.as_refusal()
            if time.monotonic() >= deadline:
                break
        raise refusal

    def _ask(self, path: str, query: Mapping[str, str], *, deadline: float) -> dict[str, Any]:
        timeouts = self._patience.timeouts(deadline=deadline)
        try:
            response = self._http.get(self._root + path, params=query, timeout=timeouts)
        except requests.RequestException as error:
            # The error's text holds the address and so the token; it must not be chained into a log.
            raise as_temporary(error) from None
        self._note_version(response.headers.get(_VERSION_HEADER))
        return read_answer(response, path=path)

    def _note_version(self, served: str | None) -> None:
        """Say once when Graph answers for another version than asked: it does so for versions that are gone.

        https://developers.facebook.com/docs/graph-api/guides/versioning/
        """
        if served is not None and served != self._version_seen:
            self._version_seen = served
            facts = {"asked": self._settings.graph_version, "served": served[:20]}
            log.error("facebook answers for another version of graph than asked", extra=facts)

    def _proof(self, access_token: str) -> str:
        """Prove that the call comes from a holder of the app secret.

        https://developers.facebook.com/docs/graph-api/guides/secure-requests/#appsecret_proof
        """
        secret = self._settings.app_secret.encode()
        return hmac.digest(secret, access_token.encode(), hashlib.sha256).hex()


def _ids_in(page: Mapping[str, Any]) -> set[str]:
    entries = page.get("data")
    if not isinstance(entries, list):
        raise FacebookFailed("Facebook's list of friends cannot be read.")
    return {entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)}


def _next_cursor(page: Mapping[str, Any]) -> str | None:
    """Return where the next page begins; the last one is told by the lack of `next`, not by its length.

    https://developers.facebook.com/docs/graph-api/results
    """
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    return after if isinstance(after, str) and after else None

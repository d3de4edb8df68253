"""What Graph's answers mean: the object asked for, or in our own words why there is none."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import requests

from igloo_auth.operations.grants import GrantRefused
from igloo_common.errors import Unavailable

log = logging.getLogger(__name__)

# https://developers.facebook.com/docs/graph-api/guides/error-handling/
_TOKEN_ERRORS: Final = frozenset({102, 190})
_EXPIRED_SUBCODE: Final = 463
_INVALID_PARAMETER: Final = 100
_THROTTLED: Final = frozenset({4, 17, 32, 341, 613})
_TEMPORARY: Final = frozenset({1, 2})


class FacebookTokenInvalid(GrantRefused):
    """Facebook does not vouch for this token to our app; `reason` says what it found."""


class FacebookUnavailable(Unavailable):
    """Facebook cannot be asked just now; sessions that exist already go on without it."""

    retry_after_seconds = 5


class FacebookThrottled(FacebookUnavailable):
    """Facebook asks our app to call less often."""

    code = "facebook_unavailable"
    retry_after_seconds = 60


class TemporaryFailure(Exception):
    """An attempt failed in a way that the next one may not."""


def read_answer(response: requests.Response, *, path: str) -> dict[str, Any]:
    """Return the answer's object.

    Raises:
        TemporaryFailure: When asking again may help.
        FacebookTokenInvalid, FacebookUnavailable: When it will not.
    """
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        raise TemporaryFailure(f"status {response.status_code}, no JSON") from None
    if not isinstance(answer, dict):
        raise TemporaryFailure(f"status {response.status_code}, no object")
    if response.status_code == requests.codes.ok and "error" not in answer:
        return answer
    raise _translate(answer.get("error"), status=response.status_code, path=path)


def _translate(error: object, *, status: int, path: str) -> Exception:
    found = error if isinstance(error, dict) else {}
    code = found.get("code")
    if code in _THROTTLED or status == requests.codes.too_many_requests:
        return FacebookThrottled("Facebook asks us to call less often.")
    if code in _TEMPORARY or found.get("is_transient") or status >= requests.codes.server_error:
        return TemporaryFailure(f"status {status}, code {code}")
    if code in _TOKEN_ERRORS and path == "/me":
        return FacebookTokenInvalid("Facebook does not vouch for this token.", reason="not_valid")
    # On /debug_token a refusal is about our own app id and secret, not about the person's token.
    log.error("facebook refused a call", extra={"path": path, "status": status, "graph_code": code})
    return FacebookUnavailable("Facebook refused our call.")


def reason_against_token(found: Mapping[str, Any], *, app_id: str) -> str | None:
    """Say why a debug_token answer is not good enough: a stable word, or None when it is."""
    if found.get("is_valid") is not True:
        return _reason_given(found.get("error"))
    if str(found.get("app_id")) != app_id:
        return "other_app"
    if found.get("type", "USER") != "USER" or not found.get("user_id"):
        return "no_person"
    return None


def _reason_given(error: object) -> str:
    found = error if isinstance(error, dict) else {}
    if found.get("subcode") == _EXPIRED_SUBCODE:
        return "expired"
    # Facebook answers so about a token that was made for another app than the asking one.
    return "other_app" if found.get("code") == _INVALID_PARAMETER else "not_valid"


def name_of(profile: Mapping[str, Any]) -> str:
    """Return the person's name, or something to call them by."""
    name = profile.get("name")
    return name.strip() if isinstance(name, str) and name.strip() else "Facebook user"


def picture_of(profile: Mapping[str, Any]) -> str | None:
    """Return the address of the person's picture; Facebook's grey silhouette is no picture."""
    picture = profile.get("picture")
    found = picture.get("data") if isinstance(picture, dict) else None
    if not isinstance(found, dict) or found.get("is_silhouette"):
        return None
    url = found.get("url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None

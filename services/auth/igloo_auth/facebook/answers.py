"""What Graph's answers mean: the object asked for, or in our own words why there is none."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import orjson
import requests

from igloo_auth.facebook.failures import (
    FacebookFailed,
    FacebookThrottled,
    FacebookTokenInvalid,
    FacebookUnavailable,
    TemporaryFailure,
)

__all__ = [
    "FacebookFailed",
    "FacebookThrottled",
    "FacebookTokenInvalid",
    "FacebookUnavailable",
    "TemporaryFailure",
    "name_of",
    "picture_of",
    "read_answer",
    "reason_against_token",
    "web_address",
]

log = logging.getLogger(__name__)

# https://developers.facebook.com/docs/graph-api/guides/error-handling/
_TOKEN_ERRORS: Final = frozenset({102, 190})
_EXPIRED_SUBCODE: Final = 463
_INVALID_PARAMETER: Final = 100
_THROTTLED: Final = frozenset({4, 17, 32, 341, 613})
_TEMPORARY: Final = frozenset({1, 2})
_PERMISSION_ERRORS: Final = frozenset({10, *range(200, 300)})

FRIENDS_PATH: Final = "/me/friends"
_PATHS_OF_A_PERSON: Final = frozenset({"/me", FRIENDS_PATH})
_PATHS_WITH_A_TOKEN_OF_THE_CALLER: Final = frozenset({"/debug_token", *_PATHS_OF_A_PERSON})

# Graph says either of its JSON, as it has since long before application/json was usual.
_JSON_TYPES: Final = frozenset({"application/json", "text/javascript"})
# What servers in front of Graph say of an address that is too long or too strange. All of it is ours and
# always the same, but for the token.
_ADDRESS_REFUSED: Final = frozenset({400, 413, 414, 431})

# Control characters, NUL among them, and halves of characters that something cut in two.
_NO_TEXT: Final = frozenset({"Cc", "Cs"})
_LONGEST_NAME: Final = 200
_WEB_ADDRESS: Final = re.compile(r"https?://[\x21-\x7e]{1,2000}")


def read_answer(response: requests.Response, *, path: str) -> dict[str, Any]:
    """Return the answer's object; `path` is the one that was asked, without the version.

    Raises:
        TemporaryFailure: When asking again may help.
        FacebookTokenInvalid, FacebookThrottled, FacebookFailed: When it will not.
    """
    answer, status = _object_in(response), response.status_code
    if status == requests.codes.too_many_requests:
        raise FacebookThrottled("Facebook asks us to call less often.")
    if answer is not None and status == requests.codes.ok and "error" not in answer:
        return answer
    if answer is not None:
        raise _translate(answer.get("error"), status=status, path=path)
    if status in _ADDRESS_REFUSED and path in _PATHS_WITH_A_TOKEN_OF_THE_CALLER:
        raise FacebookTokenInvalid("not_valid")
    is_nonsense = status < requests.codes.server_error
    raise TemporaryFailure(f"status {status}, no JSON object", is_nonsense=is_nonsense)


def _object_in(response: requests.Response) -> dict[str, Any] | None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _JSON_TYPES:
        return None
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None


def _translate(error: object, *, status: int, path: str) -> Exception:
    found = error if isinstance(error, dict) else {}
    code = found.get("code")
    if code in _THROTTLED:
        return FacebookThrottled("Facebook asks us to call less often.")
    if code in _TEMPORARY or found.get("is_transient") or status >= requests.codes.server_error:
        return TemporaryFailure(f"status {status}, code {code}")
    reason = _reason_against_person(found, path=path)
    if reason is not None:
        return FacebookTokenInvalid(reason)
    # The message stays out of the log: of a token that it cannot read, Graph's repeats the whole.
    facts = {"path": path, "status": status, "graph_code": code, "trace_id": found.get("fbtrace_id")}
    log.error("facebook refused our app's call", extra=facts)
    return FacebookFailed("Facebook refused our call.")


def _reason_against_person(error: Mapping[str, Any], *, path: str) -> str | None:
    """Say what is wrong with the person's token; None when the refusal is about our own app.

    On /debug_token the caller is our app: there, Graph names its parameter when it means the token.
    """
    code = error.get("code")
    if path in _PATHS_OF_A_PERSON and code in _TOKEN_ERRORS:
        return "expired" if error.get("error_subcode") == _EXPIRED_SUBCODE else "not_valid"
    if path == FRIENDS_PATH and code in _PERMISSION_ERRORS:
        return "not_permitted"
    if path == "/debug_token" and code == _INVALID_PARAMETER and "input_token" in str(error.get("message")):
        return "other_app" if "did not match" in str(error.get("message")) else "not_valid"
    return None


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


def name_of(profile: Mapping[str, Any]) -> str | None:
    """Return the person's name, if Facebook says one, without what no database or screen can hold."""
    name = profile.get("name")
    if not isinstance(name, str):
        return None
    kept = "".join(character for character in name if unicodedata.category(character) not in _NO_TEXT)
    return kept.strip()[:_LONGEST_NAME].strip() or None


def picture_of(profile: Mapping[str, Any]) -> str | None:
    """Return the address of the person's picture; Facebook's grey silhouette is no picture."""
    picture = profile.get("picture")
    found = picture.get("data") if isinstance(picture, dict) else None
    if not isinstance(found, dict) or found.get("is_silhouette"):
        return None
    return web_address(found.get("url"))


def web_address(url: object) -> str | None:
    """Return what was given as an address if it is one of the web."""
    return url if isinstance(url, str) and _WEB_ADDRESS.fullmatch(url) else None

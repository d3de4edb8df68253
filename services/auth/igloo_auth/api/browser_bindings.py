"""The cookies that bind each sign-in to the browser that began it."""

from __future__ import annotations

import hashlib
from typing import Final

from flask import Response, request

from igloo_auth.operations.web_sign_ins import REQUEST_SECONDS, BrowserSecrets
from igloo_auth.settings import Settings
from igloo_common.web import provided

MOST_AT_ONCE: Final = 8
"""How many sign-ins a browser can be in the midst of: their cookies come with each of its requests."""
_NAME: Final = "igloo_sign_in_"
# Of a browser, the prefix asks that nobody but this very host, over https, can have set the cookie.
_HOST_NAME: Final = f"__Host-{_NAME}"
_SUFFIX_CHARACTERS: Final = 16


def bind(response: Response, secrets: BrowserSecrets) -> None:
    """Leave the binding of a sign-in in the browser, beside those of other sign-ins."""
    # A browser sends the cookie that it got first first (RFC 6265 section 5.4).
    others = [name for name in request.cookies if name.startswith(_prefix())]
    for name in others[: max(0, len(others) - MOST_AT_ONCE + 1)]:
        _forget(response, name)
    response.set_cookie(
        _name(secrets.state),
        secrets.binding,
        max_age=REQUEST_SECONDS,
        path=_path(),
        secure=_is_secure(),
        httponly=True,
        # Lax, as the browser comes back by a redirect of another site.
        samesite="Lax",
    )


def brought(state: str) -> BrowserSecrets:
    """Return a state with the binding that the browser holds for it, empty when it holds none."""
    return BrowserSecrets(state=state, binding=request.cookies.get(_name(state), ""))


def unbind(response: Response, state: str) -> None:
    """Have the browser forget a sign-in that is over."""
    _forget(response, _name(state))


def _forget(response: Response, name: str) -> None:
    response.delete_cookie(name, path=_path(), secure=_is_secure(), httponly=True, samesite="Lax")


def _name(state: str) -> str:
    """Give each sign-in a cookie of its own, so that several tabs do not take each other's."""
    return _prefix() + hashlib.sha256(state.encode()).hexdigest()[:_SUFFIX_CHARACTERS]


def _prefix() -> str:
    return _HOST_NAME if _is_secure() else _NAME


def _path() -> str:
    return "/" if _is_secure() else "/v1/auth/facebook"


def _is_secure() -> bool:
    return provided(Settings).common.public_url.startswith("https://")

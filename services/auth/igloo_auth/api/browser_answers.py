"""What a browser gets in the midst of a sign-in: a way on, a way back, or a page that says why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Final

from flask import Response

from igloo_auth.api.authorization_requests import ReturnAddress, SentBack
from igloo_auth.api.oauth import NOT_STORED
from igloo_auth.api.pages import Language, page, preferred_language, wants_html
from igloo_auth.policies.redirects import with_query
from igloo_auth.settings import Settings
from igloo_common.errors import IglooError, RateLimited
from igloo_common.problems import status_of
from igloo_common.tracing import current_trace
from igloo_common.web import provided

_TITLES: Final[Mapping[Language, str]] = {
    "en": "This sign-in cannot go on",
    "ko": "로그인을 계속할 수 없습니다",
}
_STATE_INVALID: Final[Mapping[Language, str]] = {
    "en": "This sign-in took too long, was finished before, or was begun in another browser. "
    "Please go back to the app and sign in again.",
    "ko": "로그인 시간이 지났거나, 이미 끝났거나, 다른 브라우저에서 시작된 로그인입니다. "
    "앱으로 돌아가 다시 로그인해 주세요.",
}
_RATE_LIMITED: Final[Mapping[Language, str]] = {
    "en": "There were too many sign-ins from here. Please wait a minute and try again.",
    "ko": "이곳에서 로그인 시도가 너무 많았습니다. 잠시 후 다시 시도해 주세요.",
}
_APP_IS_WRONG: Final[Mapping[Language, str]] = {
    "en": "The app that sent you here asked for something that igloo cannot answer. "
    "Nothing has happened to your account. Please tell the makers of the app.",
    "ko": "이곳으로 보낸 앱의 요청을 igloo가 처리할 수 없습니다. "
    "계정에는 아무 일도 일어나지 않았습니다. 앱 개발자에게 알려 주세요.",
}
_SENTENCES: Final = {"state_invalid": _STATE_INVALID, "rate_limited": _RATE_LIMITED}
_QUOTED: Final[Mapping[Language, str]] = {
    "en": "Code: {code}. Request: {request}.",
    "ko": "코드: {code}. 요청: {request}.",
}

View = Callable[[], Response]


def answering_a_browser(view: View) -> View:
    """Send refusals back to the client that they are for, and show a person what is refused before that."""

    @wraps(view)
    def answered() -> Response:
        try:
            return view()
        except SentBack as refusal:
            return sent_back(refusal)
        except IglooError as refusal:
            if not wants_html():
                raise
            return _refusal_page(refusal)

    return answered


def redirection(address: str) -> Response:
    """Send the browser on to an address that is known to be good."""
    return Response(status=302, headers={"Location": address, **NOT_STORED})


def returned(to: ReturnAddress, parameters: Mapping[str, str | None]) -> Response:
    """Send the browser back to the client with an answer, and with who gives it (RFC 9207)."""
    told = {**parameters, "state": to.state, "iss": provided(Settings).common.issuer}
    return redirection(with_query(to.redirect_uri, told))


def sent_back(refusal: SentBack) -> Response:
    """Send the browser back to the client with a refusal."""
    # RFC 6749 section 4.1.2.1: a description is printable ASCII without quotes and backslashes.
    description = re.sub(r'[^\x20-\x7e]|["\\]', "", str(refusal))
    told = {"error": refusal.error, "error_description": description, "error_code": refusal.code}
    return returned(refusal.to, told)


def _refusal_page(refusal: IglooError) -> Response:
    """Tell a person in our own words: what the request said is not repeated to them."""
    language, trace = preferred_language(), current_trace()
    sentence = _SENTENCES.get(refusal.code, _APP_IS_WRONG)[language]
    quoted = _QUOTED[language].format(code=refusal.code, request=trace.request_id if trace else "")
    shown = page(_TITLES[language], [sentence, quoted], status=status_of(refusal), language=language)
    if isinstance(refusal, RateLimited):
        shown.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return shown

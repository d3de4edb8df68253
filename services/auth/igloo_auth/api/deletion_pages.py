"""How a deletion stands, in words for a person in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from flask import Response

from igloo_auth.api.pages import Language, page
from igloo_auth.queries.account_deletions import Receipt, StepView

_TITLE: Final = {"en": "Deletion of an igloo account", "ko": "igloo 계정 삭제"}
_CODE: Final = {"en": "Confirmation code: {code}", "ko": "확인 코드: {code}"}
_ASKED: Final = {
    "en": "The deletion was asked for on {asked}. The account was closed at that moment.",
    "ko": "{asked}에 삭제가 요청되었고, 계정은 그 즉시 닫혔습니다.",
}
_NOTHING: Final = {
    "en": "Facebook asked on {asked} for the deletion of what igloo holds about a person. Nothing was held.",
    "ko": "{asked}에 Facebook을 통해 삭제가 요청되었지만, igloo가 보관하고 있던 정보는 없었습니다.",
}
_UNDER_WAY: Final = {
    "en": "It is under way: what is still held is being removed, usually within minutes. "
    "Load this page again to see how far it is.",
    "ko": "삭제가 진행 중입니다. 남은 정보도 보통 몇 분 안에 지워집니다. "
    "이 페이지를 다시 열면 진행 상황을 볼 수 있습니다.",
}
_DONE: Final = {
    "en": "Everything was removed by {done}.",
    "ko": "{done}에 모든 정보의 삭제가 끝났습니다.",
}
_SERVICES: Final = {
    "auth": {"en": "Account, sign-ins and exports", "ko": "계정, 로그인 기록, 내보내기"},
    "social": {
        "en": "Profile, posts and all that belongs to them",
        "ko": "프로필, 게시물과 관련 활동",
    },
    "media": {"en": "Photos", "ko": "사진"},
}
_STEP_DONE: Final = {"en": "{what}: removed on {done}.", "ko": "{what}: {done}에 삭제됨."}
_STEP_OPEN: Final = {"en": "{what}: not removed yet.", "ko": "{what}: 아직 삭제되지 않음."}
_UNKNOWN: Final = {
    "en": "There is no deletion with this confirmation code. Check that the address is complete.",
    "ko": "이 확인 코드로 요청된 삭제가 없습니다. 주소가 올바른지 확인해 주세요.",
}


def page_of(receipt: Receipt, language: Language) -> Response:
    """Show how a deletion stands."""
    return page(_TITLE[language], list(_paragraphs(receipt, language)), language=language)


def unknown_page(language: Language) -> Response:
    """Say that there is no such deletion."""
    return page(_TITLE[language], [_UNKNOWN[language]], status=404, language=language)


def _paragraphs(receipt: Receipt, language: Language) -> Iterator[str]:
    asked = _shown(receipt.requested_at)
    if receipt.account_found:
        yield _ASKED[language].format(asked=asked)
        yield (
            _UNDER_WAY[language]
            if receipt.completed_at is None
            else _DONE[language].format(done=_shown(receipt.completed_at))
        )
        for service, step in receipt.services.items():
            yield _step(service, step, language)
    else:
        yield _NOTHING[language].format(asked=asked)
    yield _CODE[language].format(code=receipt.confirmation_code)


def _step(service: str, step: StepView, language: Language) -> str:
    what = _SERVICES[service][language]
    if step.completed_at is None:
        return _STEP_OPEN[language].format(what=what)
    return _STEP_DONE[language].format(what=what, done=_shown(step.completed_at))


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

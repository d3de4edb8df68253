"""Pages for a person in a browser: a title and a few sentences, in English or Korean."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, Literal, cast

from flask import Response, request

Language = Literal["en", "ko"]

_LANGUAGES: Final = ("en", "ko")
# In the order in which they are preferred when a client takes either, as curl and the phones' libraries do.
_TYPES: Final = ("application/problem+json", "application/json", "text/html")
# No script and no style: the gateway forbids both, and a page so plain has nothing to be attacked.
_PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title} · igloo</title>
<main>
<h1>{title}</h1>
{paragraphs}
</main>
</html>
"""
# Codes and request ids: nothing in them is a place to break a line, and a narrow phone would have to scroll.
_LONGEST_UNBROKEN: Final = 30
_BROKEN_EVERY: Final = 8
_HEADERS: Final = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}


def wants_html() -> bool:
    """Tell whether a person looks at the answer: browsers ask for HTML first, programs do not."""
    return request.accept_mimetypes.best_match(_TYPES) == "text/html"


def preferred_language() -> Language:
    """Return the language of ours that the browser likes best; English when it likes neither."""
    return cast(Language, request.accept_languages.best_match(_LANGUAGES, default="en"))


def page(title: str, paragraphs: Sequence[str], *, status: int = 200, language: Language) -> Response:
    """Make a page of plain text: whatever stands in the words is shown, and is never markup."""
    html = _PAGE.format(
        language=language,
        title=escape(title),
        paragraphs="\n".join(f"<p>{_breakable(paragraph)}</p>" for paragraph in paragraphs),
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers.update({**_HEADERS, "Content-Language": language})
    return response


def _breakable(paragraph: str) -> str:
    """Escape a paragraph, and let its longest words go on in the next line; copied, each is whole."""
    return " ".join(_pieces(word) for word in paragraph.split(" "))


def _pieces(word: str) -> str:
    every = _BROKEN_EVERY if len(word) > _LONGEST_UNBROKEN else max(1, len(word))
    return "<wbr>".join(escape(word[start : start + every]) for start in range(0, len(word), every))

"""Pages for a person in a browser: who gets one, in which language, and that words stay words."""

from __future__ import annotations

import pytest
from flask import Flask

from igloo_auth.api.pages import page, preferred_language, wants_html

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (CHROME, True),
        ("text/html", True),
        ("application/json, text/html;q=0.9", False),
        ("application/problem+json", False),
        ("*/*", False),
        ("image/png", False),
        ("", False),
        (None, False),
    ],
)
def test_browsers_get_pages_and_programs_documents(accept: str | None, expected: bool) -> None:
    headers = {} if accept is None else {"Accept": accept}

    with Flask(__name__).test_request_context(headers=headers):
        assert wants_html() is expected


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-GB,en;q=0.9,ko;q=0.8", "en"),
        ("fr-FR, ko;q=0.1", "ko"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_a_page_is_in_the_language_that_the_browser_likes_best(accepted: str, expected: str) -> None:
    with Flask(__name__).test_request_context(headers={"Accept-Language": accepted}):
        assert preferred_language() == expected


def test_words_are_shown_and_never_markup() -> None:
    shown = page("<b>Hare & Owl</b>", ["<script>alert('1')</script>", 'a "b"'], status=410, language="ko")

    assert (shown.status_code, shown.content_type) == (410, "text/html; charset=utf-8")
    text = shown.get_data(as_text=True)
    assert "<h1>&lt;b&gt;Hare &amp; Owl&lt;/b&gt;</h1>" in text
    assert "<title>&lt;b&gt;Hare &amp; Owl&lt;/b&gt; · igloo</title>" in text
    assert "<p>&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;</p>\n<p>a &quot;b&quot;</p>" in text
    assert '<html lang="ko">' in text


def test_a_long_code_may_go_on_in_the_next_line_and_is_copied_whole() -> None:
    code = "0123456789" * 4

    text = page("Title", [f"코드: {code}.", "A&B" * 11], language="ko").get_data(as_text=True)

    assert "<p>코드: 01234567<wbr>89012345<wbr>67890123<wbr>45678901<wbr>23456789<wbr>.</p>" in text
    # A character reference is never cut in two.
    assert text.replace("<wbr>", "").count("A&amp;B") == 11
    assert all(piece.count("&") == piece.count("&amp;") for piece in text.split("<wbr>"))


def test_a_page_is_kept_nowhere_and_says_what_it_was_chosen_by() -> None:
    headers = page("Title", [], language="en").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Vary"] == "Accept, Accept-Language"
    assert headers["Content-Language"] == "en"

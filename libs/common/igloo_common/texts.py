"""What a text that people write may hold: every script there is, and nothing that misleads who reads it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_MARKS: Final = 8
"""Marks above and below one letter. No script in use needs more; more of them cover the lines around."""

# Control characters that a text may hold nowhere; halves of surrogate pairs; what turns the reading direction
# of what follows, also outside the text itself; and the controls that Unicode has deprecated since.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufff9-\ufffb]"
)
_LINE_ENDS: Final = re.compile("\r\n|[\u2028\u2029]")
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt: what renderers leave out.
_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# The same, and the two symbols whose picture is empty: the blank of Braille, and a note head of music.
_UNSEEN: Final = re.compile(f"[{_IGNORABLE}\u2800\U0001d159]")
_SPACES_AND_MARKS: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Mn", "Mc", "Me"})
_MARKS: Final = frozenset({"Mn", "Me"})


def composed(text: str) -> str:
    """Write a text in Unicode's composed form, with plain newlines and nothing around it."""
    return _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)).strip()


def problem_with(text: str, *, lines: bool = False) -> tuple[str, str] | None:
    """Say why nobody may write a composed text, as a code and a sentence; None when they may.

    An empty text is none that says nothing: whether there has to be one is the question of its length.
    """
    if text.isascii() and text.isprintable():
        return None
    if _FORBIDDEN.search(text) or ("\n" in text and not lines):
        return "forbidden_character", "The text holds control or direction characters."
    if text and not has_visible(text):
        return "invisible_text", "The text holds no character that can be seen."
    if _with_few_marks(text) != text:
        return "too_many_marks", f"A letter of the text has more than {MAX_MARKS} marks."
    return None


def has_visible(text: str) -> bool:
    """Say whether a text holds something to be seen: a letter, a digit, a sign, an emoji of any age."""
    return any(
        unicodedata.category(character) not in _SPACES_AND_MARKS for character in _UNSEEN.sub("", text)
    )


def cleaned(text: str) -> str:
    """Make a text of one line that people may write out of any, as for a name that another system gave.

    It is empty when there is nothing to be seen in it.
    """
    kept = _with_few_marks(_FORBIDDEN.sub("", composed(text)).replace("\n", " "))
    return composed(kept) if has_visible(kept) else ""


def _with_few_marks(text: str) -> str:
    """Leave out the marks that are too many for their letter; what is not seen parts none from it."""
    kept, marks = [], 0
    for character in text:
        if unicodedata.category(character) in _MARKS and not _UNSEEN.match(character):
            marks += 1
        elif not _UNSEEN.match(character):
            marks = 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)

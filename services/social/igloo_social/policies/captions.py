"""What a text that people write holds: hashtags, and the usernames of those whom it mentions."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from igloo_social.policies.usernames import MAXIMUM_LENGTH, MINIMUM_LENGTH, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TAG_LENGTH: Final = 100
"""Characters of a folded hashtag; what is longer is no hashtag."""
MAX_TAGS: Final = 30
"""Hashtags of a text that count; further ones are words like any other."""
MAX_MENTIONS: Final = 20
"""People whom a text mentions; further ones are not told, and their names are words like any other."""

# Keyboards of East Asia also give the full-width signs.
_TAG_START = re.compile("[#\uff03]")
_MENTION = re.compile("[@\uff20]([A-Za-z0-9_.]+)")
# What Unicode lets renderers ignore, also among letters and marks: two tags that look the same are one.
_IGNORED = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Persian and the scripts of India join and part letters with these inside of words.
_JOINERS = frozenset("\u200c\u200d")
# Before `#`: HTML's character references and the fragments of addresses are none.
_NO_TAG_AFTER = frozenset("&/")
# Before `@`: the rest of what may stand in the local part of an e-mail address, and paths of addresses.
_NO_MENTION_AFTER = frozenset(".+-%/@\uff20")


def hashtags_of(text: str) -> tuple[str, ...]:
    """List the hashtags of a text, folded and each once, in their order; at most MAX_TAGS.

    A hashtag is `#` and letters, marks, digits and underscores of any script, of which one at least is a
    letter. It begins no later than a word does, but directly behind another one it may.
    """
    return tuple(_first_of(_tags(text), MAX_TAGS))


def usernames_in(text: str) -> tuple[str, ...]:
    """List whom a text mentions: usernames in lower case, each once, in their order; at most MAX_MENTIONS.

    A mention is `@` and what may be a username. What follows may be a letter of another script, as particles
    do in Korean, but `@` inside of a word or of an e-mail address mentions nobody.
    """
    return tuple(_first_of(_mentions(text), MAX_MENTIONS))


def folded_tag(word: str) -> str | None:
    """Write a hashtag, with or without its sign, as it is stored and looked up; None where it cannot be."""
    bare = word[1:] if _TAG_START.match(word) else word
    if not all(map(_is_of_tag, bare)):
        return None
    # NFKC folds the widths of letters and digits. Some letters become several, with a space among them.
    folded = unicodedata.normalize("NFKC", _IGNORED.sub("", bare)).casefold()
    composed = unicodedata.normalize("NFKC", folded)
    tag = "".join(filter(_is_of_tag, _IGNORED.sub("", composed)))
    is_tag = len(tag) <= MAX_TAG_LENGTH and any(map(str.isalpha, tag))
    return tag if is_tag else None


def _tags(text: str) -> Iterator[str]:
    end_of_last = 0
    for sign in _TAG_START.finditer(text):
        start = sign.start()
        before = text[start - 1 : start]
        if start != end_of_last and (_is_of_word(before) or before in _NO_TAG_AFTER):
            continue
        word = "".join(takewhile(_is_of_tag, text[start + 1 : start + 1 + 4 * MAX_TAG_LENGTH]))
        if tag := folded_tag(word):
            end_of_last = start + 1 + len(word)
            yield tag


def _mentions(text: str) -> Iterator[str]:
    for found in _MENTION.finditer(text):
        start, end = found.span()
        before = text[start - 1 : start]
        # Somebody's address at another server names nobody here.
        if _is_of_word(before) or before in _NO_MENTION_AFTER or text[end : end + 1] in {"@", "\uff20"}:
            continue
        # Dots at the end, and several in a row, are the sentence's.
        username = found[1].split("..")[0].rstrip(".")
        if MINIMUM_LENGTH <= len(username) <= MAXIMUM_LENGTH and not username.startswith("."):
            yield normalised(username)


def _first_of(found: Iterator[str], limit: int) -> list[str]:
    return list(dict.fromkeys(found))[:limit]


def _is_of_tag(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd" or character == "_" or character in _JOINERS


def _is_of_word(character: str) -> bool:
    return bool(character) and _is_of_tag(character)

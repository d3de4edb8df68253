"""What a person's text may hold: letters of every script, and nothing that misleads who reads it."""

from __future__ import annotations

import unicodedata

MAXIMUM_LENGTH = 50
"""Characters of a display name."""

# Marks that turn the reading direction of what follows, also outside the text itself.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs"})


def is_refused(character: str, *, lines: bool = False) -> bool:
    """Say whether a character cannot stand in a text; a newline can where there may be several lines."""
    if character == "\n":
        return not lines
    return character in _BIDI_CONTROLS or unicodedata.category(character) in _REFUSED_CATEGORIES


def composed(text: str) -> str:
    """Write a text in Unicode's composed form, with plain newlines and nothing around it."""
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()


def cleaned(text: str) -> str:
    """Take out what a text cannot hold, and compose it, as for a name that another system gave."""
    kept = "".join(character for character in text if not is_refused(character))
    return composed(kept)

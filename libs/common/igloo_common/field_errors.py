"""Marshmallow's messages as a flat list: a JSON pointer, a stable code and a sentence for each."""

from collections.abc import Iterator, Mapping
from typing import Final

from marshmallow.exceptions import SCHEMA

from igloo_common.errors import FieldError

MAX_ERRORS: Final = 50
_MAX_POINTER_CHARACTERS: Final = 256

# Marshmallow gives messages and no codes. Its own messages begin alike in all their variants.
_CODES: Final = (
    ("Missing data for required field", "required"),
    ("Field may not be null", "null_not_allowed"),
    ("Unknown field", "unknown_field"),
    ("Invalid input type", "invalid_type"),
    ("Not a valid ", "invalid_type"),
    ("Number too large", "out_of_range"),
    ("Shorter than minimum length", "too_short"),
    ("Longer than maximum length", "too_long"),
    ("Length must be", "invalid_length"),
    ("Must be greater than", "out_of_range"),
    ("Must be less than", "out_of_range"),
    ("Must be one of", "not_a_choice"),
)


class CodedMessage(str):
    """A validator's message that brings its own code: `raise ValidationError(CodedMessage(...))`."""

    code: str

    def __new__(cls, text: str, *, code: str) -> "CodedMessage":
        """Attach the code to the text."""
        message = super().__new__(cls, text)
        message.code = code
        return message


def field_errors(messages: object, *, location: str = "body") -> list[FieldError]:
    """Flatten the messages of a ValidationError, at most MAX_ERRORS of them."""
    found: list[FieldError] = []
    for pointer, text in _flat(messages, ""):
        found.append(FieldError(pointer=pointer, code=_code(text), detail=str(text), location=location))
        if len(found) == MAX_ERRORS:
            break
    return found


def escaped(name: object) -> str:
    """Escape one step of a JSON pointer (RFC 6901 section 3)."""
    return str(name).replace("~", "~0").replace("/", "~1")[:_MAX_POINTER_CHARACTERS]


def _flat(messages: object, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for name, below in messages.items():
            yield from _flat(below, pointer if name == SCHEMA else f"{pointer}/{escaped(name)}")
    elif isinstance(messages, list):
        for entry in messages:
            yield from _flat(entry, pointer)
    else:
        yield pointer, messages if isinstance(messages, str) else str(messages)


def _code(text: str) -> str:
    if isinstance(text, CodedMessage):
        return text.code
    return next((code for start, code in _CODES if text.startswith(start)), "invalid")

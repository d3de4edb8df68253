"""The types of event fields in words."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

_WORDS: dict[Any, str] = {
    UUID: "UUID",
    datetime: "time",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
}


def type_name(hint: Any) -> str:  # noqa: ANN401 - a type hint has no narrower type
    """Return how a reader of JSON would call the type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return " or ".join("null" if one is types.NoneType else type_name(one) for one in arguments)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in {list, tuple}:
        return f"list of {type_name(arguments[0])}"
    return "objects" if is_dataclass(hint) else _WORDS[hint]

"""A consumer's view of a payload: strict about the fields that it reads, blind to the rest."""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

T = TypeVar("T")
Decoder = Callable[[Any], Any]


class UnreadablePayload(ValueError):
    """A payload lacks a field that the consumer reads, or has another kind of value in it."""


def decode_view(view: type[T], data: object) -> T:
    """Fill a view from decoded JSON; fields it does not name are ignored, defaults stand for missing ones.

    Raises:
        UnreadablePayload: naming the field.
    """
    # mypy takes a generic type[T] for unhashable, where any class is hashable.
    result: T = _decoder(cast(Hashable, view))(data)
    return result


@cache
def _decoder(hint: Hashable) -> Decoder:
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _dataclass_decoder(hint)
    if origin in {Union, types.UnionType}:
        return _union_decoder(arguments)
    if origin in {list, tuple, Sequence}:
        return partial(_sequence, tuple if origin is tuple else list, _decoder(arguments[0]))
    if origin in {dict, Mapping}:
        return partial(_mapping, _decoder(arguments[1]))
    if origin is Literal:
        return partial(_literal, arguments)
    if hint in _SCALARS:
        return _SCALARS[hint]
    raise TypeError(f"A view cannot have a field of type {hint!r}.")


def _dataclass_decoder(view: type[Any]) -> Decoder:
    hints = get_type_hints(view)
    parts = [(field, _decoder(hints[field.name])) for field in fields(view)]

    def decode(value: object) -> object:
        if not isinstance(value, dict):
            raise UnreadablePayload(f"{view.__name__} is not an object")
        return view(
            **{field.name: _field(field, part, value) for field, part in parts if _given(field, value)}
        )

    return decode


def _given(field: Field[Any], value: dict[str, Any]) -> bool:
    has_default = field.default is not MISSING or field.default_factory is not MISSING
    return field.name in value or not has_default


def _field(field: Field[Any], part: Decoder, value: dict[str, Any]) -> object:
    if field.name not in value:
        raise UnreadablePayload(f"{field.name} is missing")
    try:
        return part(value[field.name])
    except UnreadablePayload as error:
        raise UnreadablePayload(f"{field.name}: {error}") from error


def _union_decoder(arguments: tuple[Any, ...]) -> Decoder:
    others = [_decoder(argument) for argument in arguments if argument is not types.NoneType]
    if len(others) != 1:
        raise TypeError("A view's field has one type, or one type and None.")

    def decode(value: object) -> object:
        return None if value is None else others[0](value)

    return decode


def _sequence(kind: type[list[Any]] | type[tuple[Any, ...]], item: Decoder, value: object) -> object:
    if not isinstance(value, list):
        raise UnreadablePayload("is not a list")
    return kind(item(member) for member in value)


def _mapping(item: Decoder, value: object) -> object:
    if not isinstance(value, dict):
        raise UnreadablePayload("is not an object")
    return {name: item(member) for name, member in value.items()}


def _literal(allowed: tuple[Any, ...], value: object) -> object:
    if value not in allowed:
        raise UnreadablePayload(f"is none of {allowed}")
    return value


def _of_type(kind: type[Any], value: object) -> object:
    # A bool is an int to Python, and to nobody who reads an event.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UnreadablePayload(f"is not of type {kind.__name__}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnreadablePayload("is not a number")
    return float(value)


def _parsed(parse: Callable[[str], object], value: object) -> object:
    if not isinstance(value, str):
        raise UnreadablePayload("is not a string")
    try:
        return parse(value)
    except ValueError as error:
        raise UnreadablePayload(str(error)) from error


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 time, which always names its zone.

    Raises:
        ValueError: when it does not.
    """
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("is a time without a zone")
    return time


_SCALARS: Mapping[Any, Decoder] = {
    UUID: partial(_parsed, UUID),
    datetime: partial(_parsed, parse_time),
    str: partial(_of_type, str),
    int: partial(_of_type, int),
    bool: partial(_of_type, bool),
    float: _number,
}

"""Sample instances of any published event, made from the types of its fields."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

from igloo_common.events import Event, encode_data

T = TypeVar("T")
E = TypeVar("E", bound=Event)


def samples_of(event: type[E]) -> tuple[E, E]:
    """Return an event with everything in it, and one with as little as its types allow."""
    return _made(event, full=True), _made(event, full=False)


def data_of(event: Event) -> dict[str, Any]:
    """Return the event's data as a consumer decodes it from the wire."""
    data: dict[str, Any] = orjson.loads(encode_data(event))
    return data


def _made(kind: type[T], *, full: bool) -> T:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type] # an event is a dataclass
    return kind(**{name: _value(hints[name], name, full=full) for name in names})


def _value(hint: Any, name: str, *, full: bool) -> object:  # noqa: ANN401 - a type hint has no narrower type
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return _made(hint, full=full)
    if origin in {Union, types.UnionType}:
        present = next(argument for argument in arguments if argument is not types.NoneType)
        return _value(present, name, full=True) if full else None
    if origin is Literal:
        return arguments[0] if full else arguments[-1]
    if origin in {list, tuple}:
        return origin([_value(arguments[0], name, full=full)] if full else [])
    return _scalar(hint, name)


def _scalar(hint: Any, name: str) -> object:  # noqa: ANN401 - a type hint has no narrower type
    samples: dict[Any, object] = {
        UUID: UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
        datetime: datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
        str: f"a {name}",
        int: 7,
        float: 0.5,
        bool: True,
    }
    return samples[hint]

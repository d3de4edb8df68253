"""One instance of each event as it might have been: the same at every run."""

from __future__ import annotations

import hashlib
import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

from igloo_common.events import Envelope, Event, encode_data, encode_envelope

_MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
_VERSION_7, _VARIANT = 7, 2
_TEXTS = {
    "display_name": "Puffin",
    "reason": "signed_out",
    "blurhash": "LHB{Z[-;IUof~qoft7ay4nayxuj[",
    "dominant_color": "#7a90a8",
    "alt_text": "A puffin on a ledge",
    "name": "feed",
    "content_type": "image/webp",
    "code": "unreadable_image",
    "detail": "The file is not an image that can be read.",
    "picture_url": "https://graph.facebook.com/1/picture",
}
_TIMES = {"denied_until": _MOMENT + timedelta(minutes=10)}
_NUMBERS = {"width": 1080, "height": 810, "size_bytes": 118_214}


def sample_of(event: type[Event]) -> Event:
    """Return an instance with a likely value in each field; ids follow from the field's name."""
    sample: Event = _made(event)
    return sample


def sample_envelope(event: type[Event], *, service: str) -> dict[str, Any]:
    """Return the instance as it is on the wire."""
    sample = sample_of(event)
    envelope = Envelope(
        id=_id(event.type),
        type=event.type,
        key=sample.aggregate_key,
        sequence=1,
        time=_MOMENT,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        data=encode_data(sample),
    )
    wire: dict[str, Any] = orjson.loads(encode_envelope(envelope, source=f"/igloo/{service}"))
    return wire


def _made(kind: type[Any]) -> Any:  # noqa: ANN401 - an instance of the kind
    hints = get_type_hints(kind)
    return kind(**{field.name: _value(hints[field.name], field.name) for field in fields(kind)})


def _value(hint: Any, name: str) -> object:  # noqa: ANN401 - a type hint has no narrower type
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return _value(arguments[0], name)
    if origin is Literal:
        return arguments[0]
    if origin in {list, tuple}:
        return origin([_value(arguments[0], name.removesuffix("s"))])
    if is_dataclass(hint) and isinstance(hint, type):
        return _made(hint)
    return _scalar(hint, name)


def _scalar(hint: Any, name: str) -> object:  # noqa: ANN401 - a type hint has no narrower type
    scalars: dict[Any, object] = {
        UUID: _id(name),
        datetime: _TIMES.get(name, _MOMENT),
        str: _TEXTS.get(name, name),
        int: _NUMBERS.get(name, 1),
        float: 0.5,
        bool: True,
    }
    return scalars[hint]


def _id(name: str) -> UUID:
    """Return an id in the shape of version 7, whose time is the moment and whose rest is the name's hash."""
    millis = int(_MOMENT.timestamp() * 1000)
    rest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10])
    bits = (millis << 80) | rest
    bits = bits & ~(0xF << 76) | (_VERSION_7 << 76)
    return UUID(int=bits & ~(0x3 << 62) | (_VARIANT << 62))

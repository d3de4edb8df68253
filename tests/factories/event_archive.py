"""What the last release published and read, kept in files, for today's code to be held against.

Run as `python -m factories.event_archive` (with `tests` on the path) when a release is made: it writes all
files anew. What they say is what the next changes are held against, so it is run at releases alone.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, make_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

from factories.events import data_of, samples_of
from igloo_common.consumers import Consumers
from igloo_common.events import Event

FOLDER = Path(__file__).parents[1] / "contracts" / "released_events"
SERVICES = ("auth", "media", "social")
_SCALARS: Mapping[str, type[Any]] = {kind.__name__: kind for kind in (UUID, datetime, str, int, float, bool)}
Shape = Any
"""A type as JSON: a scalar's name, or {"list"|"optional"|"literal"|"object": …}."""


@dataclass(frozen=True, kw_only=True)
class Released:
    """An event type as the last release knew it."""

    type: str
    shape: Shape
    samples: list[dict[str, Any]]
    read_by: Mapping[str, Shape]


def released() -> list[Released]:
    """Read the archive."""
    return [Released(**orjson.loads(path.read_bytes())) for path in sorted(FOLDER.glob("*.json"))]


def published() -> dict[str, type[Event]]:
    """Return every event that a service publishes today, by type."""
    return {event.type: event for service in SERVICES for event in _events_of(service)}


def consumers_of(service: str) -> Consumers:
    """Return what a service listens to today."""
    register: Consumers = importlib.import_module(f"igloo_{service}.consumers").consumers
    return register


def shape_of(hint: Any) -> Shape:  # noqa: ANN401 - a type hint has no narrower type
    """Describe a type by what is seen of it on the wire."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint)
        return {"object": {each.name: shape_of(hints[each.name]) for each in fields(hint)}, **_defaults(hint)}
    if origin in {Union, types.UnionType}:
        return {"optional": shape_of(next(each for each in arguments if each is not types.NoneType))}
    if origin is Literal:
        return {"literal": sorted(arguments)}
    if origin in {list, tuple}:
        return {"list": shape_of(arguments[0])}
    return hint.__name__


def view_of(shape: Shape) -> Any:  # noqa: ANN401 - a type hint has no narrower type
    """Make the type that a shape describes, which a payload can be decoded into."""
    if isinstance(shape, str):
        return _SCALARS[shape]
    if "optional" in shape:
        return view_of(shape["optional"]) | None
    if "literal" in shape:
        return Literal.__getitem__(tuple(shape["literal"]))
    if "list" in shape:
        return types.GenericAlias(tuple, (view_of(shape["list"]), ...))
    return make_dataclass("ReleasedView", [_field_of(name, shape) for name in shape["object"]], kw_only=True)


def broken_promises(event_type: str, before: Shape, now: Shape, path: str = "") -> Iterator[str]:
    """Say what a reader of the last release would miss; what is added is no loss."""
    if isinstance(before, dict) and isinstance(now, dict) and "object" in before and "object" in now:
        for name, shape in before["object"].items():
            place = f"{path}{name}"
            if name in now["object"]:
                yield from broken_promises(event_type, shape, now["object"][name], f"{place}.")
            else:
                yield _advice(event_type, f"the field {place} is gone")
    elif isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys() == {"list"}:
        yield from broken_promises(event_type, before["list"], now["list"], path)
    elif isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys() == {"optional"}:
        yield from broken_promises(event_type, before["optional"], now["optional"], path)
    elif before != now:
        yield _advice(event_type, f"the field {path.rstrip('.')} was {before} and is {now}")


def _advice(event_type: str, what: str) -> str:
    name, _, version = event_type.rpartition(".v")
    return (
        f"{event_type}: {what}. Readers of the last release, and events on their way, know the old form:"
        f" leave it as it was, publish {name}.v{int(version) + 1} beside it, and take {event_type} away one"
        " release after nobody reads it any more."
    )


def _events_of(service: str) -> Iterator[type[Event]]:
    module = importlib.import_module(f"igloo_{service}.events")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Event) and value.__module__ == module.__name__:
            yield value


def _defaults(kind: type[Any]) -> dict[str, list[str]]:
    names = [each.name for each in fields(kind) if each.default is not MISSING]
    return {"may_be_missing": names} if names else {}


def _field_of(name: str, shape: Shape) -> tuple[str, Any, Any]:
    kind = view_of(shape["object"][name])
    return name, kind, field(default=None) if name in shape.get("may_be_missing", ()) else field()


def _record(event: type[Event]) -> dict[str, Any]:
    readers = {service: consumers_of(service).subscriptions.get(event.type) for service in SERVICES}
    return {
        "type": event.type,
        "shape": shape_of(event),
        "samples": [data_of(sample) for sample in samples_of(event)],
        "read_by": {name: shape_of(reader.view) for name, reader in readers.items() if reader},
    }


def main() -> None:
    """Write the archive of a release."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for event in published().values():
        record = orjson.dumps(_record(event), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (FOLDER / f"{event.type}.json").write_bytes(record)


if __name__ == "__main__":
    main()

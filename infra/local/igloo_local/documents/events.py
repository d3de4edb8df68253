"""Every event with its publisher, its fields and who reads which of them, drawn from the dataclasses."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from igloo_common.consumers import Consumers, Subscription
from igloo_common.events import Event
from igloo_local.documents.samples import sample_envelope, sample_of
from igloo_local.documents.texts import NOTE, first_sentence
from igloo_local.documents.types import type_name
from igloo_local.parts.postgres_roles import SERVICES

INTRO = Path(__file__).with_name("events_intro.md")


@dataclass(frozen=True, kw_only=True)
class Published:
    """An event type with those who publish and those who read it."""

    event: type[Event]
    publisher: str
    readers: Mapping[str, Subscription]

    @property
    def key(self) -> str:
        """The aggregate key with the names of its fields in place of their values."""
        sample = sample_of(self.event)
        key = sample.aggregate_key
        for field in fields(sample):
            value = str(getattr(sample, field.name))
            key = ":".join(f"{{{field.name}}}" if part == value else part for part in key.split(":"))
        return key


def events() -> str:
    """Return the document."""
    published = [*_published()]
    parts = [INTRO.read_text(), _overview(published), *(_section(one) for one in published), NOTE]
    return "\n".join(parts)


def _published() -> Iterator[Published]:
    registers = {service: _consumers(service) for service in SERVICES}
    for service in SERVICES:
        for event in _events_of(service):
            readers = {
                name: register.subscriptions[event.type]
                for name, register in registers.items()
                if event.type in register.subscriptions
            }
            yield Published(event=event, publisher=service, readers=readers)


def _consumers(service: str) -> Consumers:
    register: Consumers = importlib.import_module(f"igloo_{service}.consumers").consumers
    return register


def _events_of(service: str) -> Iterator[type[Event]]:
    module = importlib.import_module(f"igloo_{service}.events")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Event) and value.__module__ == module.__name__:
            yield value


def _overview(published: list[Published]) -> str:
    rows = [
        f"| {_link(one.event)} | {one.publisher} | {', '.join(one.readers)} | {first_sentence(one.event)} |"
        for one in published
    ]
    return "\n".join(["| type | published by | read by | what happened |", "|---|---|---|---|", *rows, ""])


def _link(event: type[Event]) -> str:
    """Link to the event's section, under the anchor that its heading gets."""
    return f"[`{event.type}`](#{event.type.replace('.', '')})"


def _section(one: Published) -> str:
    sample = json.dumps(sample_envelope(one.event, service=one.publisher), indent=2, ensure_ascii=False)
    handlers = [
        f"- **{service}** (`{subscription.handler.__name__}`): {first_sentence(subscription.handler)}"
        for service, subscription in one.readers.items()
    ]
    return "\n".join(
        [
            f"## {one.event.type}\n",
            f"{first_sentence(one.event)} Published by **{one.publisher}**, key `{one.key}`.\n",
            *handlers,
            "",
            "| field | type | read by |",
            "|---|---|---|",
            *_field_rows(one),
            "",
            f"```json\n{sample}\n```\n",
        ]
    )


def _field_rows(one: Published) -> Iterator[str]:
    read = {service: {*_paths(subscription.view)} for service, subscription in one.readers.items()}
    for path, hint in _paths(one.event).items():
        readers = [service for service, names in read.items() if path in names]
        yield f"| `{path}` | {type_name(hint)} | {', '.join(readers)} |"


def _paths(kind: type[Any], prefix: str = "") -> dict[str, Any]:
    """Return the type of every field, those of the members of a list as `list[].field`."""
    found: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for field in fields(kind):
        path, hint = f"{prefix}{field.name}", hints[field.name]
        found[path] = hint
        for member in get_args(hint):
            if isinstance(member, type) and is_dataclass(member):
                found |= _paths(member, f"{path}[].")
    return found

"""A service's register of the events that it handles, each with its own view of the payload."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Delivery(Generic[T]):
    """One event as a handler receives it; `data` is the consumer's view of the payload."""

    id: UUID
    type: str
    key: str
    sequence: int
    time: datetime
    data: T


Handler = Callable[[Session, Delivery[T], datetime], None]


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A handler with the view that it declared."""

    event_type: str
    view: type[Any]
    handler: Handler[Any]
    superseded_by: frozenset[str]
    """The types of which a later event, once applied, makes this one stale: its own, and its opposites."""


class Consumers:
    """What one service subscribes to; its queue is `<service>.events`."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._subscriptions: dict[str, Subscription] = {}

    @property
    def queue(self) -> str:
        """The name of the service's queue."""
        return f"{self.service}.events"

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """Every subscription, by event type."""
        return MappingProxyType(self._subscriptions)

    def on(
        self, event_type: str, view: type[T], *, superseded_by: Collection[str] = ()
    ) -> Callable[[Handler[T]], Handler[T]]:
        """Register the one handler of an event type.

        `view` is a dataclass of the fields that the handler reads: other fields of the event are ignored, a
        missing one is an error. The handler runs in a transaction together with the mark that it ran, and
        never commits.

        Events of a key may reach a service out of their order, if seldom: by way of dead letters, or taken
        up by a newer version. What was applied of the same type with a higher sequence makes an event stale;
        `superseded_by` names other types that do so too, such as the one that takes this one back. A handler
        that asks its own tables what is true by now needs none.

        Raises:
            TypeError: when the view is no dataclass.
            ValueError: when the type has a handler already: call both from one.
        """
        if not is_dataclass(view):
            raise TypeError(f"The view of {event_type} must be a dataclass.")
        if event_type in self._subscriptions:
            raise ValueError(f"{event_type} has a handler already.")

        def register(handler: Handler[T]) -> Handler[T]:
            self._subscriptions[event_type] = Subscription(
                event_type=event_type,
                view=view,
                handler=handler,
                superseded_by=frozenset({event_type, *superseded_by}),
            )
            return handler

        return register

"""What the relay and the inbox ask of a broker, whichever it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


class BrokerUnavailable(Exception):
    """The broker cannot be reached, or what became of a message is unknown: connect anew and try again."""


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message to publish."""

    event_id: UUID
    routing_key: str
    body: bytes


@dataclass(frozen=True, kw_only=True)
class PublishOutcome:
    """What became of each message: kept by every queue, wanted by no queue, or refused by one."""

    confirmed: frozenset[UUID]
    returned: frozenset[UUID]
    nacked: frozenset[UUID]


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One message received; it comes again, later or elsewhere, unless its `tag` is acknowledged."""

    body: bytes
    routing_key: str
    content_type: str
    tag: str | int


class Publisher(Protocol):
    """A connection that publishes; used by one thread."""

    def publish(self, messages: Sequence[Outgoing]) -> PublishOutcome:
        """Publish in the order given, and wait until the fate of every message is known.

        Raises:
            BrokerUnavailable: the connection is given up; any of the messages may have been kept.
        """

    def keep_alive(self) -> None:
        """Show the broker that we live, and notice if it does not; called every second or so.

        Raises:
            BrokerUnavailable: the connection is given up.
        """

    def close(self) -> None:
        """End the connection."""


class Subscriber(Protocol):
    """A connection that receives one queue's messages; used by one thread."""

    def receive(self, *, timeout_seconds: float) -> Sequence[Incoming]:
        """Return what has arrived, in order, after waiting at most so long; none is not an error.

        Raises:
            BrokerUnavailable: the connection is given up; unacknowledged messages come again.
        """

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Let the broker forget messages: all those of the last `receive`.

        Raises:
            BrokerUnavailable: the connection is given up; the messages come again.
        """

    def keep_alive(self) -> None:
        """Show the broker that we live while messages are held without being acknowledged."""

    def depths(self) -> Mapping[str, int]:
        """Count the messages that wait in the subscriber's queue, and in the queue of dead letters.

        Raises:
            BrokerUnavailable: the connection is given up; unacknowledged messages come again.
        """

    def close(self) -> None:
        """End the connection; unacknowledged messages come again."""


class Broker(Protocol):
    """Where services leave messages for each other."""

    def declare(self, queue: str, types: Collection[str]) -> None:
        """Make the exchanges, the queue and its bindings; safe to repeat."""

    def publisher(self) -> Publisher:
        """Connect for publishing.

        Raises:
            BrokerUnavailable: when it cannot be reached.
        """

    def subscriber(self, queue: str) -> Subscriber:
        """Connect for receiving; of several subscribers of a queue one is served and the others stand by.

        Raises:
            BrokerUnavailable: when it cannot be reached.
        """

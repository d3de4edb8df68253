"""A mutant that has messages forgotten before they are kept: it acknowledges them when they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from igloo_common.messaging import Incoming, Subscriber
from igloo_common.worker_steps import ReceiveStep


class Hasty:
    """A subscriber that acknowledges what it hands out, and later has nothing left to acknowledge."""

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber = subscriber

    def receive(self, *, timeout_seconds: float) -> Sequence[Incoming]:
        """Acknowledge what has arrived, then hand it out."""
        messages = self._subscriber.receive(timeout_seconds=timeout_seconds)
        if messages:
            self._subscriber.acknowledge(messages)
        return messages

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Do nothing: it is too late."""

    def keep_alive(self) -> None:
        """Pass it on."""
        self._subscriber.keep_alive()

    def depths(self) -> Mapping[str, int]:
        """Pass it on."""
        return self._subscriber.depths()

    def close(self) -> None:
        """Pass it on."""
        self._subscriber.close()


def mutate() -> None:
    """Have the receiving step subscribe hastily."""
    patient: Callable[[ReceiveStep], Subscriber] = ReceiveStep._subscribe

    def hasty(self: ReceiveStep) -> Subscriber:
        return Hasty(patient(self))

    ReceiveStep._subscribe = hasty  # type: ignore[method-assign] # a method is what is mutated

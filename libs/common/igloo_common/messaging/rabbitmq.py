"""A RabbitMQ as a broker."""

from __future__ import annotations

from collections.abc import Collection

from igloo_common.messaging.rabbit_link import Link
from igloo_common.messaging.rabbit_publisher import RabbitPublisher
from igloo_common.messaging.rabbit_subscriber import RabbitSubscriber
from igloo_common.messaging.topology import declare_topology


class RabbitBroker:
    """A RabbitMQ, 3.10 or newer."""

    def __init__(self, url: str) -> None:
        self._url = url

    def declare(self, queue: str, types: Collection[str]) -> None:
        """Declare the topology; a queue that exists with other arguments is an error."""
        link = Link(self._url)
        try:
            with link.guarded():
                declare_topology(link.channel, queue, types)
        finally:
            link.close()

    def publisher(self) -> RabbitPublisher:
        """Connect for publishing."""
        return RabbitPublisher(Link(self._url))

    def subscriber(self, queue: str) -> RabbitSubscriber:
        """Connect for receiving; RabbitMQ serves one subscriber of a queue at a time."""
        return RabbitSubscriber(Link(self._url), queue)

"""Publishing to RabbitMQ with pipelined confirms."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

from amqp import Message

from igloo_common.messaging.broker import Outgoing, PublishOutcome
from igloo_common.messaging.rabbit_link import Link
from igloo_common.messaging.topology import EVENTS

_PERSISTENT = 2
_CONFIRM_SECONDS = 15.0


class RabbitPublisher:
    """Publishes many messages before it waits for their confirms: one by one costs five times as much."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._pending: OrderedDict[int, UUID] = OrderedDict()
        self._published = 0
        self._returned: set[UUID] = set()
        self._nacked: set[UUID] = set()
        with link.guarded():
            link.channel.confirm_select()
        link.channel.events["basic_ack"].add(self._on_ack)
        link.channel.events["basic_nack"].add(self._on_nack)
        link.channel.events["basic_return"].add(self._on_return)

    def publish(self, messages: Sequence[Outgoing]) -> PublishOutcome:
        """Publish with `mandatory`, or RabbitMQ confirms what it has thrown away for want of a queue."""
        self._returned.clear()
        self._nacked.clear()
        with self._link.guarded():
            for message in messages:
                self._send(message)
            self._await_confirms()
        failed = self._returned | self._nacked
        return PublishOutcome(
            confirmed=frozenset(message.event_id for message in messages) - failed,
            returned=frozenset(self._returned),
            nacked=frozenset(self._nacked - self._returned),
        )

    def keep_alive(self) -> None:
        """Read what the broker sent meanwhile, and exchange heartbeats."""
        with self._link.guarded():
            while self._link.drain(timeout_seconds=0):
                pass
            self._link.check_heartbeat()

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _send(self, message: Outgoing) -> None:
        self._published += 1
        self._pending[self._published] = message.event_id
        self._link.channel.basic_publish(
            Message(
                message.body,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=_PERSISTENT,
                message_id=str(message.event_id),
            ),
            exchange=EVENTS,
            routing_key=message.routing_key,
            mandatory=True,
        )

    def _await_confirms(self) -> None:
        deadline = monotonic() + _CONFIRM_SECONDS
        while self._pending:
            remaining = deadline - monotonic()
            if remaining <= 0 or not self._link.drain(timeout_seconds=remaining):
                raise TimeoutError(f"{len(self._pending)} messages were not confirmed")

    def _settle(self, delivery_tag: int, multiple: bool) -> list[UUID]:
        """Take out the messages that a confirm speaks of: one, or all up to it."""
        if not multiple:
            return [self._pending.pop(delivery_tag)]
        tags = [tag for tag in self._pending if tag <= delivery_tag]
        return [self._pending.pop(tag) for tag in tags]

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        self._settle(delivery_tag, multiple)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self._nacked.update(self._settle(delivery_tag, multiple))

    def _on_return(self, _error: Exception, _exchange: str, _routing_key: str, message: Message) -> None:
        """Note a message that no queue wanted; its ack follows all the same."""
        self._returned.add(UUID(message.properties["message_id"]))

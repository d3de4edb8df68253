"""Receiving from RabbitMQ, with acknowledgement in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import sleep
from typing import Any

from kombu import Consumer, Queue

from igloo_common.messaging.broker import Incoming
from igloo_common.messaging.rabbit_link import Link
from igloo_common.messaging.topology import DEAD, GATHER_SECONDS, PREFETCH


class RabbitSubscriber:
    """Receives up to the prefetch count and acknowledges all of it at once."""

    def __init__(self, link: Link, queue: str) -> None:
        self._link = link
        self._queue = queue
        self._arrived: list[Incoming] = []
        with link.guarded():
            consumer = Consumer(
                link.channel,
                [Queue(queue, no_declare=True)],
                accept=["json"],
                on_message=self._on_message,
                on_decode_error=self._on_decode_error,
                auto_declare=False,
            )
            # Per consumer: quorum queues have no global prefetch.
            consumer.qos(prefetch_count=PREFETCH)
            consumer.consume()

    def receive(self, *, timeout_seconds: float) -> Sequence[Incoming]:
        """Wait for a first message, then take what comes with it."""
        with self._link.guarded():
            self._link.check_heartbeat()
            # What was read while another answer was awaited has arrived already.
            if self._arrived or self._link.drain(timeout_seconds=timeout_seconds):
                sleep(GATHER_SECONDS)
                while len(self._arrived) < PREFETCH and self._link.drain(timeout_seconds=0):
                    pass
        arrived, self._arrived = self._arrived, []
        return arrived

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Acknowledge everything up to the last of them by one frame."""
        if messages:
            with self._link.guarded():
                self._link.channel.basic_ack(messages[-1].tag, multiple=True)

    def keep_alive(self) -> None:
        """Exchange heartbeats while messages are held."""
        with self._link.guarded():
            self._link.drain(timeout_seconds=0)
            self._link.check_heartbeat()

    def depths(self) -> Mapping[str, int]:
        """Count by passive declaration, over the connection that is there."""
        with self._link.guarded():
            return self._link.count_waiting((self._queue, DEAD))

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def _on_message(self, message: Any) -> None:  # noqa: ANN401 - kombu is untyped
        body = message.body
        self._arrived.append(
            Incoming(
                body=body if isinstance(body, bytes) else str(body).encode(),
                routing_key=message.delivery_info.get("routing_key", ""),
                content_type=message.content_type or "",
                tag=message.delivery_tag,
            )
        )

    def _on_decode_error(self, message: Any, _error: Exception) -> None:  # noqa: ANN401 - kombu is untyped
        """Pass on what kombu cannot read: the inbox parks it, where an exception would stop the queue."""
        self._on_message(message)

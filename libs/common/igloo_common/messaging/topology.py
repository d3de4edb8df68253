"""The exchanges and queues on RabbitMQ, and what is declared with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

EVENTS = "igloo.events"
DEAD = "igloo.dead"
PREFETCH = 50
# One event seldom comes alone. Storing and applying a batch costs little more than doing so for one, so a
# subscriber gives its first message this long to be joined by others.
GATHER_SECONDS = 0.02
MAX_QUEUED = 1_000_000
MAX_DEAD = 100_000
DELIVERY_LIMIT = 20

# With a length limit, "reject-publish" makes the publisher wait where the default would drop the oldest
# message.
_QUORUM = {"x-queue-type": "quorum", "x-overflow": "reject-publish"}
_QUEUE = {
    **_QUORUM,
    # One consumer at a time, or the replicas of a service would overtake each other.
    "x-single-active-consumer": True,
    "x-delivery-limit": DELIVERY_LIMIT,
    "x-max-length": MAX_QUEUED,
    "x-dead-letter-exchange": DEAD,
    # The default, "at-most-once", loses a dead letter whose queue is full or away.
    "x-dead-letter-strategy": "at-least-once",
}
_DEAD_QUEUE = {**_QUORUM, "x-max-length": MAX_DEAD}


def declare_topology(channel: Any, queue: str, types: Collection[str]) -> None:  # noqa: ANN401 - amqp is untyped
    """Declare the exchanges, the dead letter queue, and one service's queue with its bindings."""
    channel.exchange_declare(EVENTS, "topic", durable=True, auto_delete=False)
    channel.exchange_declare(DEAD, "topic", durable=True, auto_delete=False)
    channel.queue_declare(DEAD, durable=True, auto_delete=False, arguments=_DEAD_QUEUE)
    channel.queue_bind(DEAD, DEAD, routing_key="#")
    if not types:
        return
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=_QUEUE)
    for event_type in sorted(types):
        channel.queue_bind(queue, EVENTS, routing_key=event_type)

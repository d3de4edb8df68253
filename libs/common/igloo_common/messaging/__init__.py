"""Messages between services; this package alone knows whether a RabbitMQ or a folder carries them."""

from __future__ import annotations

from urllib.parse import urlsplit

from igloo_common.messaging.broker import (
    Broker,
    BrokerUnavailable,
    Incoming,
    Outgoing,
    Publisher,
    PublishOutcome,
    Subscriber,
)
from igloo_common.messaging.embedded import EmbeddedBroker
from igloo_common.messaging.rabbitmq import RabbitBroker

__all__ = [
    "Broker",
    "BrokerUnavailable",
    "Incoming",
    "Outgoing",
    "PublishOutcome",
    "Publisher",
    "Subscriber",
    "broker_at",
]


def broker_at(url: str) -> Broker:
    """Choose the broker by the scheme of its address: `amqp://…`, `amqps://…` or `filesystem:///folder`."""
    parts = urlsplit(url)
    if parts.scheme == "filesystem":
        return EmbeddedBroker(parts.path)
    if parts.scheme in {"amqp", "amqps"}:
        return RabbitBroker(url)
    raise ValueError(f"no broker speaks {parts.scheme}://")

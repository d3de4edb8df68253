"""Messages that come twice, or in another order than they were sent."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Identifier

from chaos.faults.fault import AT_ONCE, Fault, Maker, SimpleFault
from igloo_common.events import Envelope, encode_envelope
from igloo_common.messaging import Outgoing, broker_at
from igloo_local.parts.postgres_roles import SERVICES

if TYPE_CHECKING:
    from chaos.town import Town

_REPUBLISH = SQL("""
UPDATE {}.outbox SET published_at = NULL WHERE id IN (
    SELECT id FROM {}.outbox WHERE published_at IS NOT NULL ORDER BY md5(id::text || %s) LIMIT %s
)
""")
_RECENT = SQL("""
SELECT event_id, type, aggregate_key, sequence, payload, traceparent, created_at FROM {}.outbox
ORDER BY id DESC LIMIT %s
""")
_REORDERED = 200


def makers(town: Town) -> Iterator[Maker]:
    """Yield a maker for each way in which deliveries differ from what was sent."""
    yield Maker("duplicate-deliveries", lambda draw: _duplicate(town, draw))
    yield Maker("reorder-deliveries", lambda draw: _reorder(town, draw))


def _duplicate(town: Town, draw: random.Random) -> Fault:
    service, count, salt = draw.choice(SERVICES), draw.choice((1, 50, 2000)), str(draw.random())

    def republish() -> str:
        schema = Identifier(service)
        with town.superuser() as connection:
            done = connection.execute(_REPUBLISH.format(schema, schema), [salt, count])
        return f"{done.rowcount} events are published again"

    return SimpleFault(kind="duplicate-deliveries", target=service, breaking=republish, hold_seconds=AT_ONCE)


def _reorder(town: Town, draw: random.Random) -> Fault:
    service = draw.choice(SERVICES)

    def publish() -> str:
        """Send copies of the newest events in random order, some of them before the relay has sent them."""
        with town.superuser() as connection:
            rows = connection.execute(_RECENT.format(Identifier(service)), [_REORDERED]).fetchall()
        draw.shuffle(rows)
        publisher = broker_at(town.stack.parts.broker_url).publisher()
        try:
            outcome = publisher.publish(_messages(service, rows))
        finally:
            publisher.close()
        return f"{len(outcome.confirmed)} of {len(rows)} copies were taken"

    return SimpleFault(kind="reorder-deliveries", target=service, breaking=publish, hold_seconds=AT_ONCE)


def _messages(service: str, rows: Sequence[tuple[Any, ...]]) -> list[Outgoing]:
    messages = []
    for event_id, kind, key, sequence, payload, traceparent, created_at in rows:
        envelope = Envelope(
            id=event_id,
            type=kind,
            key=key,
            sequence=sequence,
            time=created_at,
            traceparent=traceparent,
            data=payload,
        )
        body = encode_envelope(envelope, source=f"/igloo/{service}")
        messages.append(Outgoing(event_id=event_id, routing_key=kind, body=body))
    return messages

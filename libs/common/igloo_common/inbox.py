"""Events on their way in: stored as they came before they are acknowledged, to be applied afterwards."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from igloo_common import event_metrics
from igloo_common.events import Envelope, UnreadableEnvelope, decode_envelope
from igloo_common.messaging import Incoming

_LOG = logging.getLogger(__name__)
MAX_PARKED = 10_000
MAX_PARKED_BYTES = 256 * 1024
_CONTENT_TYPES = frozenset({"application/json", "application/cloudevents+json"})

# Due times are the database's: the clocks of two workers differ, and a wrong one would hide an event for
# hours.
_STORE = """
INSERT INTO inbox
    (event_id, type, aggregate_key, sequence, payload, traceparent, received_at, next_attempt_at, status)
SELECT event_id, type, aggregate_key, sequence, payload, traceparent, now(), now(), status
FROM unnest(%(ids)s::uuid[], %(types)s::text[], %(keys)s::text[], %(sequences)s::bigint[],
            %(payloads)s::bytea[], %(traceparents)s::text[], %(statuses)s::text[])
    AS event (event_id, type, aggregate_key, sequence, payload, traceparent, status)
ON CONFLICT (event_id) DO NOTHING
"""
_READOPT = """
UPDATE inbox SET status = 'pending', next_attempt_at = now() WHERE status = 'ignored' AND type =
ANY(%(types)s)
"""
_PARK = """
INSERT INTO parked_messages (body, routing_key, reason, received_at)
VALUES (%(body)s, %(routing_key)s, %(reason)s, now())
"""


def store_messages(
    connection: Connection, messages: Sequence[Incoming], *, handled_types: Collection[str]
) -> int:
    """Keep each message in the caller's transaction, once however often it comes; acknowledge after it.

    An event without a handler is kept as `ignored`: it was published for a newer version of this service,
    which takes it up when it starts. What is no event of ours is parked as it came, and never stops the
    queue. Returns how many could be read.
    """
    readable: list[tuple[Envelope, bytes]] = []
    for message in messages:
        try:
            readable.append((_read(message), message.body))
        except UnreadableEnvelope as error:
            _park(connection, message, reason=str(error))
    if readable:
        stored = connection.exec_driver_sql(_STORE, _columns(readable, handled_types)).rowcount
        event_metrics.RECEIVED.labels("stored").inc(stored)
        event_metrics.RECEIVED.labels("known").inc(len(readable) - stored)
    return len(readable)


def readopt_ignored(session: Session, *, handled_types: Collection[str]) -> int:
    """Make pending what an older version of this service had no handler for; returns how many."""
    parameters = {"types": list(handled_types)}
    return session.connection().exec_driver_sql(_READOPT, parameters).rowcount


def _read(message: Incoming) -> Envelope:
    if message.content_type.partition(";")[0] not in _CONTENT_TYPES:
        raise UnreadableEnvelope(f"content type {message.content_type!r} is not JSON")
    envelope = decode_envelope(message.body)
    if "\0" in envelope.type + envelope.key + (envelope.traceparent or ""):
        raise UnreadableEnvelope("an attribute has a character that PostgreSQL cannot store")
    return envelope


def _columns(readable: Sequence[tuple[Envelope, bytes]], handled_types: Collection[str]) -> dict[str, object]:
    envelopes = [envelope for envelope, _ in readable]
    return {
        "ids": [envelope.id for envelope in envelopes],
        "types": [envelope.type for envelope in envelopes],
        "keys": [envelope.key for envelope in envelopes],
        "sequences": [envelope.sequence for envelope in envelopes],
        "payloads": [body for _, body in readable],
        "traceparents": [envelope.traceparent for envelope in envelopes],
        "statuses": ["pending" if envelope.type in handled_types else "ignored" for envelope in envelopes],
    }


def _park(connection: Connection, message: Incoming, *, reason: str) -> None:
    connection.exec_driver_sql(
        _PARK,
        {
            "body": message.body[:MAX_PARKED_BYTES],
            "routing_key": message.routing_key.replace("\0", "")[:255],
            "reason": reason.replace("\0", "")[:500],
        },
    )
    event_metrics.RECEIVED.labels("parked").inc()
    _LOG.error("A message was parked", extra={"routing_key": message.routing_key, "reason": reason})

"""Messages as a broker hands them over, and the inbox that takes and applies them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import orjson

from factories.event_services import NoteWritten, consumers
from igloo_common.applier import Applier
from igloo_common.clock import utc_now
from igloo_common.consumers import Consumers
from igloo_common.database import current_engine
from igloo_common.events import Envelope, encode_envelope
from igloo_common.ids import new_id
from igloo_common.inbox import store_messages
from igloo_common.messaging import Incoming


def note_message(
    key: str,
    sequence: int,
    *,
    event_id: UUID | None = None,
    event_type: str = NoteWritten.type,
    age: timedelta = timedelta(0),
    **fields: object,
) -> Incoming:
    """Make a message about a note."""
    envelope = Envelope(
        id=event_id or new_id(),
        type=event_type,
        key=key,
        sequence=sequence,
        time=utc_now() - age,
        traceparent=None,
        data=orjson.dumps({"text": "hello"} | fields),
    )
    body = encode_envelope(envelope, source="/igloo/auth")
    return Incoming(body=body, routing_key=event_type, content_type="application/json", tag=1)


def store(messages: Sequence[Incoming], *, register: Consumers = consumers) -> None:
    """Store messages as a receiver does."""
    with current_engine().begin() as connection:
        store_messages(connection, messages, handled_types=register.subscriptions.keys())


def apply_due(register: Consumers = consumers, *, max_attempts: int = 10) -> int:
    """Apply what is due until a step finds no more; returns how many steps that took."""
    applier, steps = Applier(register, now=utc_now, max_attempts=max_attempts), 1
    while applier.step():
        steps += 1
    return steps

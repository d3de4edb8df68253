"""The outbox's way to the broker: each committed event is published until the broker has confirmed it."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from igloo_common import event_metrics
from igloo_common.events import Envelope, encode_envelope
from igloo_common.held_types import HeldTypes
from igloo_common.messaging import Broker, BrokerUnavailable, Outgoing, Publisher

_LOG = logging.getLogger(__name__)
BATCH = 200

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('igloo relay ' || current_schema(), 0))"
_FALL_ASLEEP = "SELECT pg_try_advisory_lock(hashtextextended('igloo relay sleeps ' || current_schema(), 0))"
_WAKE_UP = "SELECT pg_advisory_unlock(hashtextextended('igloo relay sleeps ' || current_schema(), 0))"
# In one statement: the notification comes after the locks are free.
_HAND_OVER = "SELECT pg_advisory_unlock_all(), pg_notify('outbox_' || current_schema(), '')"
# Never `id > last`: ids are drawn before their transactions commit, in any order, and a row that commits
# late would be passed by. An event whose type is held back holds back what follows it on the same aggregate.
_UNPUBLISHED = """
SELECT id, event_id, type, aggregate_key, sequence, payload, traceparent, created_at FROM outbox AS o
WHERE published_at IS NULL
"""
_NOT_HELD = """
AND type <> ALL(%(held)s) AND NOT EXISTS (
    SELECT FROM outbox AS earlier WHERE earlier.published_at IS NULL AND earlier.type = ANY(%(held)s)
    AND earlier.aggregate_key = o.aggregate_key AND earlier.id < o.id
)
"""
_ORDER = "ORDER BY id LIMIT %(batch)s"
_MARK = "UPDATE outbox SET published_at = %(now)s WHERE id = ANY(%(ids)s)"


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboxRow:
    """An event that has not been published yet."""

    id: int
    event_id: UUID
    type: str
    aggregate_key: str
    sequence: int
    payload: bytes
    traceparent: str | None
    created_at: datetime


class Relay:
    """Publishes one service's outbox while it leads; any number may run, one of them leads.

    The lead is an advisory lock of the very session that reads and marks the rows: who loses the session
    can mark nothing any more. A relay that still publishes what its successor publishes too repeats events
    in their order, and consumers know them by their ids.
    """

    def __init__(
        self,
        *,
        connection: psycopg.Connection[Any],
        broker: Broker,
        service: str,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Take over an autocommit connection whose search path is the service's schema."""
        self._connection = connection
        self._broker = broker
        self._source = f"/igloo/{service}"
        self._now = now
        self._leads = False
        self._asleep = False
        self._publisher: Publisher | None = None
        self._held = HeldTypes(monotonic)

    def lead(self) -> bool:
        """Tell whether this relay leads, and try to take the lead if nobody has it."""
        if not self._leads:
            self._leads = self._ask(_TRY_LOCK)
            event_metrics.RELAY_LEADS.set(self._leads)
        return self._leads

    @property
    def is_connected(self) -> bool:
        """Tell whether there is a connection to the broker, which the last step has proved."""
        return self._publisher is not None

    def step(self) -> bool:
        """Publish one batch; True when there may be more to publish at once.

        Raises:
            BrokerUnavailable: nothing of the batch is marked that was not confirmed.
            psycopg.Error: the session, and with it the lead, may be gone: close this relay and make another.
        """
        rows = self._read_batch()
        if not rows:
            self._keep_alive()
            return False
        confirmed: list[int] = []
        waiting = _by_aggregate(rows)
        try:
            while wave := self._next_wave(waiting):
                kept = self._publish(wave)
                confirmed += [row.id for row in wave if row.event_id in kept]
                for row in wave:
                    if row.event_id not in kept:
                        del waiting[row.aggregate_key]
        finally:
            self._mark(confirmed)
        return len(rows) == BATCH and bool(confirmed)

    def fall_asleep(self) -> bool:
        """Ask writers for a notification from now on; False while one of them is writing or has just done so.

        Whoever emits shares a lock until its transaction ends, so that it either sees us asleep and
        notifies, or has committed before we are, and then the last look finds its event. Call `wake_up`
        before the next step.
        """
        if not self._ask(_FALL_ASLEEP):
            return False
        self._asleep = True
        if self._read_batch():
            self.wake_up()
        return self._asleep

    def wake_up(self) -> None:
        """Spare writers the notification while the outbox is looked after anyway."""
        if self._asleep:
            self._ask(_WAKE_UP)
            self._asleep = False

    def close(self) -> None:
        """Give up the lead, wake whoever takes it over, and close both connections."""
        if self._leads:
            self._leads = False
            # The session may be gone, and the lead with it: then the others find out when they sweep.
            with suppress(psycopg.Error):
                self._connection.execute(_HAND_OVER)
        event_metrics.RELAY_LEADS.set(0)
        self._drop_publisher()
        self._connection.close()

    def _ask(self, question: LiteralString) -> bool:
        row = self._connection.execute(question).fetchone()
        return bool(row and row[0])

    def _read_batch(self) -> Sequence[OutboxRow]:
        held = self._held.active()
        query = _UNPUBLISHED + (_NOT_HELD if held else "") + _ORDER
        with self._connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
            return cursor.execute(query, {"held": held, "batch": BATCH}).fetchall()

    def _next_wave(self, waiting: dict[str, deque[OutboxRow]]) -> list[OutboxRow]:
        """Take the next event of each aggregate: it is sent only once the one before it has been kept.

        What was refused, and what follows it on its aggregate, waits for a later batch, so that no refusal
        reorders.
        """
        held = set(self._held.active())
        for key in [key for key, rest in waiting.items() if not rest or rest[0].type in held]:
            del waiting[key]
        return [rest.popleft() for rest in waiting.values()]

    def _publish(self, wave: Sequence[OutboxRow]) -> frozenset[UUID]:
        """Publish a wave and return the ids of the events that every queue has kept."""
        publisher = self._publisher = self._publisher or self._broker.publisher()
        try:
            outcome = publisher.publish([self._message(row) for row in wave])
        except BrokerUnavailable:
            self._drop_publisher()
            raise
        self._held.release({row.type for row in wave if row.event_id in outcome.confirmed})
        self._hold(wave, outcome.returned, "returned")
        self._hold(wave, outcome.nacked, "nacked")
        event_metrics.PUBLISHED.inc(len(outcome.confirmed))
        return outcome.confirmed

    def _message(self, row: OutboxRow) -> Outgoing:
        envelope = Envelope(
            id=row.event_id,
            type=row.type,
            key=row.aggregate_key,
            sequence=row.sequence,
            time=row.created_at,
            traceparent=row.traceparent,
            data=row.payload,
        )
        body = encode_envelope(envelope, source=self._source)
        return Outgoing(event_id=row.event_id, routing_key=row.type, body=body)

    def _hold(self, wave: Sequence[OutboxRow], refused: frozenset[UUID], how: str) -> None:
        event_metrics.REFUSED.labels(how).inc(len(refused))
        for event_type in {row.type for row in wave if row.event_id in refused}:
            seconds = self._held.hold(event_type)
            _LOG.warning(
                "Events were refused and wait",
                extra={"type": event_type, "how": how, "retry_in_seconds": round(seconds, 1)},
            )

    def _mark(self, ids: Sequence[int]) -> None:
        if ids:
            self._connection.execute(_MARK, {"now": self._now(), "ids": list(ids)})

    def _keep_alive(self) -> None:
        if self._publisher is not None:
            try:
                self._publisher.keep_alive()
            except BrokerUnavailable:
                self._drop_publisher()
                raise

    def _drop_publisher(self) -> None:
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()


def _by_aggregate(rows: Sequence[OutboxRow]) -> dict[str, deque[OutboxRow]]:
    waiting: dict[str, deque[OutboxRow]] = defaultdict(deque)
    for row in rows:
        waiting[row.aggregate_key].append(row)
    return dict(waiting)

"""Applies stored events: the handler's effect and the mark that it ran commit together."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from igloo_common import event_metrics
from igloo_common.backoff import backoff_seconds
from igloo_common.consumers import Consumers, Delivery
from igloo_common.database import transaction
from igloo_common.due_events import BATCH, DueEvents, StoredEvent, put_off_blocked, wake_keys
from igloo_common.event_views import decode_view
from igloo_common.events import decode_envelope
from igloo_common.tracing import continued_trace

_LOG = logging.getLogger(__name__)
MAX_ATTEMPTS = 10
_MAX_DELAY_SECONDS = 300.0
_MAX_ERROR_CHARACTERS = 500

# A batch takes locks in the order of its events, a request in its own. Where they meet, PostgreSQL would end
# one of the two after a second, and that may be the request. So the batch gives way before: its events are
# then applied one by one, and each alone keeps to the order of locks that everybody keeps to. And it begins
# nothing new once it has held locks for a while, or a request could wait for it longer than it waits itself.
_HELD_SECONDS = 0.25
_GIVE_WAY = "SET LOCAL lock_timeout = '500ms'"
_MARK = """
UPDATE inbox SET status = %(status)s, applied_at = now(), last_error = NULL WHERE event_id = ANY(%(ids)s)
"""
_RECORD_FAILURE = """
UPDATE inbox SET status = %(status)s, attempts = %(attempts)s, last_error = %(error)s,
    next_attempt_at = now() + %(delay)s
WHERE event_id = %(id)s
"""


class Applier:
    """Applies what is due, each key in order; any number may work side by side. Needs an app context."""

    def __init__(
        self,
        consumers: Consumers,
        *,
        now: Callable[[], datetime],
        max_attempts: int = MAX_ATTEMPTS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumers = consumers
        self._due = DueEvents(consumers.subscriptions)
        self._now = now
        self._max_attempts = max_attempts
        self._monotonic = monotonic

    def step(self) -> bool:
        """Apply the events that are due and first of their key; True when more are known to wait."""
        events: Sequence[StoredEvent] = ()
        done: Sequence[StoredEvent] = ()
        try:
            with transaction() as session:
                events = self._due.take(session)
                if len(events) > 1:
                    session.connection().exec_driver_sql(_GIVE_WAY)
                done = self._apply_some(session, events)
            _count(done)
        except Exception:
            # One of them failed, or the database did. A savepoint around each would tell which, at the
            # price of two round trips an event; failures are rare, so all are taken back and tried again
            # one by one.
            if not events:
                raise
            for event in events:
                self._apply_alone(event.event_id)
            done = events
        if len(done) < len(events):
            return True
        if len(events) < BATCH and (not events or events[0].window_is_full):
            return _put_off()
        return len(events) == BATCH or bool(_followed(events))

    def _apply_some(self, session: Session, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Apply events until their locks have been held for long enough; return those that were applied."""
        outcomes: dict[str, list[UUID]] = defaultdict(list)
        done: list[StoredEvent] = []
        until = self._monotonic() + _HELD_SECONDS
        for event in events:
            outcomes[self._apply(session, event)].append(event.event_id)
            done.append(event)
            # Nothing that one handler has loaded may be old news to the next.
            session.flush()
            session.expunge_all()
            if self._monotonic() > until:
                break
        for status, ids in outcomes.items():
            session.connection().exec_driver_sql(_MARK, {"status": status, "ids": ids})
        if followed := _followed(done):
            wake_keys(session, followed)
        return done

    def _apply_alone(self, event_id: UUID) -> None:
        """Apply one event, if it is still ours to apply, and record how it fails."""
        with transaction() as session:
            for event in self._due.take_one(session, event_id):
                try:
                    with session.begin_nested():
                        self._apply_some(session, [event])
                except Exception as error:
                    if isinstance(error, DBAPIError) and error.connection_invalidated:
                        raise
                    self._record_failure(session, event, error)
                else:
                    _count([event])

    def _apply(self, session: Session, event: StoredEvent) -> str:
        """Run the handler and return the status that the event then has."""
        subscription = self._consumers.subscriptions.get(event.type)
        if subscription is None:
            return "ignored"
        if event.stale:
            return "stale"
        envelope = decode_envelope(event.payload)
        delivery = Delivery(
            id=envelope.id,
            type=envelope.type,
            key=envelope.key,
            sequence=envelope.sequence,
            time=envelope.time,
            data=decode_view(subscription.view, envelope.data),
        )
        with continued_trace(envelope.traceparent):
            subscription.handler(session, delivery, self._now())
        _observe_lag(delivery, self._now())
        return "applied"

    def _record_failure(self, session: Session, event: StoredEvent, error: Exception) -> None:
        attempts = event.attempts + 1
        dead = attempts >= self._max_attempts
        delay = backoff_seconds(attempts, cap=_MAX_DELAY_SECONDS)
        session.connection().exec_driver_sql(
            _RECORD_FAILURE,
            {
                "id": event.event_id,
                "status": "dead" if dead else "pending",
                "attempts": attempts,
                "delay": timedelta(seconds=delay),
                "error": f"{type(error).__name__}: {error}".replace("\0", "")[:_MAX_ERROR_CHARACTERS],
            },
        )
        event_metrics.APPLIED.labels(event.type, "dead" if dead else "failed").inc()
        _LOG.error(
            "An event is dead" if dead else "An event failed and is tried again",
            extra={"event_id": str(event.event_id), "type": event.type, "attempts": attempts},
            exc_info=error,
        )


def _followed(events: Sequence[StoredEvent]) -> list[str]:
    """Name the keys of which more waits than these events."""
    last = {event.aggregate_key: event.followed for event in events}
    return [key for key, followed in last.items() if followed]


def _put_off() -> bool:
    with transaction() as session:
        return put_off_blocked(session)


def _count(events: Sequence[StoredEvent]) -> None:
    for event in events:
        event_metrics.APPLIED.labels(event.type, "done").inc()


def _observe_lag(delivery: Delivery[Any], now: datetime) -> None:
    # Two machines' clocks may differ: no event has its effect before it is made.
    event_metrics.LAG.labels(delivery.type).observe(max(0.0, (now - delivery.time).total_seconds()))

"""The steps that a worker's threads repeat: relay, receive, apply, and run jobs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Engine

from igloo_common import event_metrics
from igloo_common.broker_contact import BrokerContact
from igloo_common.clock import utc_now
from igloo_common.consumers import Consumers
from igloo_common.database import reading
from igloo_common.inbox import store_messages
from igloo_common.listening import own_connection
from igloo_common.messaging import Broker, BrokerUnavailable, Incoming, Subscriber
from igloo_common.relay import Relay

_LOG = logging.getLogger(__name__)
_RECEIVE_SECONDS = 1.0
_COUNT_SECONDS = 10.0
_GATHER_SECONDS = 0.01


class RelayStep:
    """Keeps a relay, and makes another when the database has cut its session."""

    def __init__(self, engine: Engine, broker: Broker, *, service: str, contact: BrokerContact) -> None:
        self._engine = engine
        self._broker = broker
        self._service = service
        self._contact = contact
        self._relay: Relay | None = None

    def __call__(self) -> bool:
        """Publish one batch if this process leads; False when it may wait for a notification."""
        relay = self._relay = self._relay or self._make()
        try:
            return relay.lead() and self._advance(relay)
        except BrokerUnavailable:
            self._contact.note("relay", reached=False)
            raise
        except psycopg.Error:
            self.close()
            raise

    def close(self) -> None:
        """Leave the lead to another process."""
        self._contact.forget("relay")
        relay, self._relay = self._relay, None
        if relay is not None:
            relay.close()

    def _advance(self, relay: Relay) -> bool:
        relay.wake_up()
        more = relay.step()
        if relay.is_connected:
            self._contact.note("relay", reached=True)
        else:
            # With nothing to publish it does not connect, and would never learn that the broker is back.
            self._contact.forget("relay")
        if more:
            return True
        if relay.fall_asleep():
            return False
        # Somebody is writing. One event seldom comes alone, and a batch costs little more than one.
        sleep(_GATHER_SECONDS)
        return True

    def _make(self) -> Relay:
        return Relay(
            connection=own_connection(self._engine),
            broker=self._broker,
            service=self._service,
            monotonic=monotonic,
            now=utc_now,
        )


class ReceiveStep:
    """Moves messages from the queue into the inbox: stored, committed, then acknowledged."""

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        consumers: Consumers,
        *,
        on_stored: Callable[[], None],
        contact: BrokerContact,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._consumers = consumers
        self._on_stored = on_stored
        self._contact = contact
        self._subscriber: Subscriber | None = None
        self._held: Sequence[Incoming] = ()
        self._count_at = 0.0

    def __call__(self) -> bool:
        """Take what has arrived; always True, as receiving waits by itself."""
        try:
            self._receive()
        except BrokerUnavailable:
            self._contact.note("receiver", reached=False)
            self.close()
            raise
        return True

    def close(self) -> None:
        """End the subscription; what was not acknowledged comes again."""
        self._held = ()
        self._count_at = 0.0
        event_metrics.QUEUE_MESSAGES.clear()
        subscriber, self._subscriber = self._subscriber, None
        if subscriber is not None:
            subscriber.close()

    def _receive(self) -> None:
        subscriber = self._subscriber = self._subscriber or self._subscribe()
        self._count(subscriber)
        # With the database away the messages are kept here. Giving them back would deliver them again at
        # once, over and over, until the delivery limit counts them as poison.
        if self._held:
            subscriber.keep_alive()
        else:
            self._held = subscriber.receive(timeout_seconds=_RECEIVE_SECONDS)
        self._contact.note("receiver", reached=True)
        if self._held:
            with self._engine.begin() as connection:
                store_messages(connection, self._held, handled_types=self._consumers.subscriptions.keys())
            stored, self._held = self._held, ()
            subscriber.acknowledge(stored)
            self._on_stored()

    def _subscribe(self) -> Subscriber:
        """Subscribe once the database answers.

        What is delivered and not stored comes again, and the broker counts how often: with the database away
        for hours, a process that is started again and again would spend the delivery limit for nothing.
        """
        with self._engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        return self._broker.subscriber(self._consumers.queue)

    def _count(self, subscriber: Subscriber) -> None:
        if monotonic() >= self._count_at:
            for queue, count in subscriber.depths().items():
                event_metrics.QUEUE_MESSAGES.labels(queue).set(count)
            self._count_at = monotonic() + _COUNT_SECONDS


@dataclass(frozen=True)
class PeriodicJob:
    """Something to do every so often, by one of a service's workers at a time. Runs inside an app context."""

    name: str
    every_seconds: float
    run: Callable[[], None]


_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('igloo job ' || current_schema() || %(name)s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('igloo job ' || current_schema() || %(name)s, 0))"


def job_step(app: Flask, job: PeriodicJob) -> Callable[[], bool]:
    """Return the step that runs a job; its failure is logged and counted, and the job goes on."""

    def step() -> bool:
        with app.app_context():
            try:
                outcome = _run_alone(job)
            except Exception:  # noqa: BLE001 - a job's own error is no reason to stop the others
                _LOG.exception("A periodic job failed", extra={"job": job.name})
                outcome = "failed"
        event_metrics.JOB_RUNS.labels(job.name, outcome).inc()
        return False

    return step


def _run_alone(job: PeriodicJob) -> str:
    name: dict[str, Any] = {"name": job.name}
    with reading() as connection:
        if not connection.exec_driver_sql(_TRY_LOCK, name).scalar_one():
            return "elsewhere"
        try:
            job.run()
        finally:
            connection.exec_driver_sql(_UNLOCK, name)
    return "done"

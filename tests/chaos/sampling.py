"""Looks once a second at what is answered and what waits, for the plots of a fault run."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

import psycopg

from chaos.report import Sample

_SECOND = 1.0
_WAITING = """
SELECT (SELECT count(*) FROM {schema}.outbox WHERE published_at IS NULL),
       (SELECT count(*) FROM {schema}.inbox WHERE status = 'pending')
"""
SCHEMAS = ("auth", "social", "media")


class Sampler(threading.Thread):
    """Samples until it is told to stop; `outcomes` are counts by "<operation> <outcome>"."""

    def __init__(
        self,
        *,
        outcomes: Callable[[], Mapping[str, int]],
        connect: Callable[[], psycopg.Connection],
        started: float,
    ) -> None:
        super().__init__(daemon=True, name="sampler")
        self.samples: list[Sample] = []
        self._outcomes = outcomes
        self._connect = connect
        self._run_began = started
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Take a sample a second."""
        before = Counter[str]()
        while not self._stop_asked.wait(_SECOND):
            counts = _summed(self._outcomes())
            self.samples.append(self._sample(counts - before))
            before = counts

    def stop(self) -> None:
        """Take no more samples."""
        self._stop_asked.set()
        self.join()

    def _sample(self, new: Counter[str]) -> Sample:
        outbox, inbox = self._waiting()
        return Sample(
            at_seconds=round(time.monotonic() - self._run_began, 1),
            acknowledged=new["acknowledged"],
            refused=new["refused"],
            unanswered=new["unanswered"],
            outbox_waiting=outbox,
            inbox_waiting=inbox,
        )

    def _waiting(self) -> tuple[int, int] | tuple[None, None]:
        try:
            with self._connect() as connection:
                return waiting_events(connection)
        except psycopg.Error:
            return None, None


def waiting_events(connection: psycopg.Connection) -> tuple[int, int]:
    """Count the events of all services that are not published and not applied yet."""
    outbox = inbox = 0
    for schema in SCHEMAS:
        row = connection.execute(_WAITING.format(schema=schema)).fetchone()
        outbox, inbox = outbox + (row[0] if row else 0), inbox + (row[1] if row else 0)
    return outbox, inbox


def _summed(outcomes: Mapping[str, int]) -> Counter[str]:
    """Add the operations up by how they ended."""
    summed = Counter[str]()
    for name, count in outcomes.items():
        outcome = name.rpartition(" ")[2]
        summed[outcome if outcome in {"acknowledged", "unanswered"} else "refused"] += count
    return summed

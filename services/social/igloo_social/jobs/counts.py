"""The nightly walk through all stored counts, a few seconds' worth at a time, and what it measures."""

from __future__ import annotations

from time import monotonic, time
from typing import Final

from prometheus_client import Counter, Gauge

from igloo_social.operations.drift import KINDS
from igloo_social.reconciliation import Reconciliation

SLICES_EVERY_SECONDS: Final = 10.0
SLICE_SECONDS: Final = 3.0
"""Well within the grace of a worker that is told to stop, and a third of one connection's time."""
WALKED_EVERY_SECONDS: Final = 24 * 3600.0

WRONG: Final = Gauge("igloo_counts_wrong", "Stored counts that the last walk found wrong.", ["kind"])
RECONCILED: Final = Counter("igloo_counts_reconciled", "Stored counts that were put right.", ["kind"])
SECONDS: Final = Gauge("igloo_counts_reconcile_seconds", "How long the last walk took, its pauses included.")
FINISHED_AT: Final = Gauge(
    "igloo_counts_reconcile_success_timestamp_seconds", "When a walk through all stored counts last ended."
)
for _kind in KINDS:
    RECONCILED.labels(_kind)


class CountsJob:
    """Walks once a day, from when the worker starts.

    A worker that is stopped begins anew at its next start: a walk is minutes long, and puts right as it goes.
    """

    def __init__(self) -> None:
        self._walk: Reconciliation | None = None
        self._begun_at: float | None = None

    def run(self) -> None:
        """Go on with the walk for a slice of time, or begin the day's."""
        begun = monotonic()
        if self._walk is None:
            if self._begun_at is not None and begun - self._begun_at < WALKED_EVERY_SECONDS:
                return
            self._walk, self._begun_at = Reconciliation(), begun
        while self._step(self._walk):
            if monotonic() - begun >= SLICE_SECONDS:
                return
        self._finish(self._walk)

    def _step(self, walk: Reconciliation) -> bool:
        before = {kind: tally.put_right for kind, tally in walk.tallies.items()}
        more = walk.step()
        for kind, tally in walk.tallies.items():
            RECONCILED.labels(kind).inc(tally.put_right - before[kind])
        return more

    def _finish(self, walk: Reconciliation) -> None:
        for kind, tally in walk.tallies.items():
            WRONG.labels(kind).set(tally.wrong)
        SECONDS.set(monotonic() - (self._begun_at or 0.0))
        FINISHED_AT.set(time())
        self._walk = None

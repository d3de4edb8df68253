"""The worker process of a service: events out, events in, periodic jobs and lanes of work, until SIGTERM."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from time import monotonic

from flask import Flask

from igloo_common.applier import Applier
from igloo_common.broker_contact import BrokerContact
from igloo_common.clock import believe_this_machine, utc_now
from igloo_common.consumers import Consumers
from igloo_common.database import current_engine, transaction
from igloo_common.database_clock import LOOK_SECONDS, DatabaseClock
from igloo_common.inbox import readopt_ignored
from igloo_common.listening import Listener, own_connection
from igloo_common.loops import Loop
from igloo_common.messaging import broker_at
from igloo_common.readiness import Check, Verdict, database_checks
from igloo_common.retention import prune_tables
from igloo_common.settings import CommonSettings
from igloo_common.work_folders import remove_abandoned_folders
from igloo_common.worker_port import WorkerPort, worker_replies
from igloo_common.worker_steps import PeriodicJob, ReceiveStep, RelayStep, job_step

__all__ = ["Lane", "PeriodicJob", "Worker"]

_LOG = logging.getLogger(__name__)
_APPLIERS = 2
_SWEEP_SECONDS = 1.0
_GATHER_SECONDS = 0.01
_GRACE_SECONDS = 25.0
_LOOK_SECONDS = 0.5
_HOUR = 3600.0


@dataclass(frozen=True)
class Lane:
    """A service's own queue of work, worked off by `threads` threads inside an app context.

    `step` does one unit and returns True if there may be more; NOTIFY on `wake_channel` ends a wait early.
    """

    name: str
    step: Callable[[], bool]
    wake_channel: str | None
    idle_seconds: float
    threads: int = 1


class Worker:
    """Runs a service's background threads and its probes' port; when a thread dies, so does the process."""

    def __init__(
        self,
        *,
        app: Flask,
        settings: CommonSettings,
        consumers: Consumers,
        jobs: Sequence[PeriodicJob] = (),
        lanes: Sequence[Lane] = (),
    ) -> None:
        self._app = app
        self._settings = settings
        self._consumers = consumers
        self._jobs = (*jobs, *self._own_jobs())
        self._lanes = lanes
        self._stop = threading.Event()
        self._broker = broker_at(settings.broker_url)
        self._contact = BrokerContact()
        with app.app_context():
            self._engine = current_engine()
        self._clock = DatabaseClock(self._engine)

    def run(self) -> int:
        """Work until SIGTERM or SIGINT; returns the exit status."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: self.stop())
            signal.signal(signal.SIGINT, lambda *_: self.stop())
        remove_abandoned_folders()
        self._clock.try_once()
        loops = self._loops()
        threads = [
            threading.Thread(target=self._run_loop, args=[loop], name=loop.name, daemon=True)
            for loop in loops
        ]
        port = self._open_port(threads)
        for thread in threads:
            thread.start()
        _LOG.info("The worker runs", extra={"threads": len(threads), "port": port.port})
        dead = self._wait(threads)
        for loop in loops:
            loop.wake_up()
        late = _join(threads)
        port.close()
        self._engine.dispose()
        believe_this_machine()
        return 1 if dead or late else 0

    def _run_loop(self, loop: Loop) -> None:
        try:
            loop.run(self._stop)
        except Exception:  # noqa: BLE001 - the process ends for it, and the log says why
            _LOG.exception("A worker's thread gives up", extra={"loop": loop.name})

    def stop(self) -> None:
        """Take nothing new, finish what is under way, and let `run` return."""
        self._stop.set()

    def _wait(self, threads: Sequence[threading.Thread]) -> list[str]:
        """Wait for the order to stop; returns the names of threads that ended without it."""
        while not self._stop.wait(_LOOK_SECONDS):
            dead = [thread.name for thread in threads if not thread.is_alive()]
            if dead:
                _LOG.error("A worker's thread has died", extra={"threads": dead})
                self._stop.set()
                return dead
        return []

    def _loops(self) -> list[Loop]:
        channel = f"outbox_{self._settings.service}"
        channels = {channel, *(lane.wake_channel for lane in self._lanes if lane.wake_channel)}
        listener = Listener(lambda: own_connection(self._engine), channels)
        relay = RelayStep(self._engine, self._broker, service=self._settings.service, contact=self._contact)
        return [
            Loop("clock", self._clock.step, idle_seconds=LOOK_SECONDS),
            Loop("listener", listener.step, idle_seconds=0, close=listener.close),
            Loop(
                "relay",
                relay,
                idle_seconds=_SWEEP_SECONDS,
                wake=listener.wakes[channel],
                pause_seconds=_GATHER_SECONDS,
                close=relay.close,
            ),
            *self._inbox_loops(),
            *(loop for lane in self._lanes for loop in self._lane_loops(lane, listener)),
            *(
                Loop(f"job {job.name}", job_step(self._app, job), idle_seconds=job.every_seconds)
                for job in self._jobs
            ),
        ]

    def _inbox_loops(self) -> list[Loop]:
        if not self._consumers.subscriptions:
            return []
        wakes = [threading.Event() for _ in range(_APPLIERS)]
        # They take turns: one is enough for most batches, and the other finds what it leaves when it sweeps.
        turns = cycle(wakes)
        receive = ReceiveStep(
            self._engine,
            self._broker,
            self._consumers,
            on_stored=lambda: next(turns).set(),
            contact=self._contact,
        )
        step = self._in_app(Applier(self._consumers, now=utc_now).step)
        return [
            Loop("receiver", receive, idle_seconds=0, close=receive.close),
            *(
                Loop(f"applier {number}", step, idle_seconds=_SWEEP_SECONDS, wake=wake)
                for number, wake in enumerate(wakes)
            ),
        ]

    def _lane_loops(self, lane: Lane, listener: Listener) -> Iterator[Loop]:
        wake = listener.wakes[lane.wake_channel] if lane.wake_channel else None
        for number in range(lane.threads):
            step = self._in_app(lane.step)
            yield Loop(f"{lane.name} {number}", step, idle_seconds=lane.idle_seconds, wake=wake)

    def _own_jobs(self) -> tuple[PeriodicJob, ...]:
        return (
            PeriodicJob(name="prune-events", every_seconds=_HOUR, run=prune_tables),
            PeriodicJob(name="readopt-events", every_seconds=60.0, run=self._readopt),
        )

    def _readopt(self) -> None:
        with transaction() as session:
            readopt_ignored(session, handled_types=self._consumers.subscriptions.keys())

    def _in_app(self, step: Callable[[], bool]) -> Callable[[], bool]:
        def inside() -> bool:
            with self._app.app_context():
                return step()

        return inside

    def _open_port(self, threads: Sequence[threading.Thread]) -> WorkerPort:
        replies = worker_replies(
            self._engine,
            alive=lambda: self._stop.is_set() or all(thread.is_alive() for thread in threads),
            checks=self._checks,
        )
        return WorkerPort(self._settings.bind_host, self._settings.worker_port, replies)

    def _checks(self) -> list[Check]:
        if self._stop.is_set():
            told = {"state": "stopping"}
            return [Check(name="worker", verdict=Verdict.UNREADY, told=told, sentence="The worker stops.")]
        settings = self._settings
        checks = database_checks(settings.database_url, schema=settings.service)
        return [*checks, self._contact.check()]


def _join(threads: Sequence[threading.Thread]) -> list[str]:
    """Wait for the threads to finish what they do; returns those that did not within the grace."""
    deadline = monotonic() + _GRACE_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    late = [thread.name for thread in threads if thread.is_alive()]
    if late:
        _LOG.error("A worker's thread did not finish in time", extra={"threads": late})
    return late

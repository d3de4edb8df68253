"""The whole stack in one folder: parts started in parallel where they are independent, and ended together."""

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from igloo_local import leftovers
from igloo_local.addresses import FILE_NAME, Addresses
from igloo_local.broker_choice import choose_broker
from igloo_local.console import Console
from igloo_local.errors import StackError
from igloo_local.flag import Flag
from igloo_local.given import check_given_places
from igloo_local.lock import FolderLock
from igloo_local.parts.part import Part
from igloo_local.parts.service import Adjust, Service, unchanged
from igloo_local.parts_list import PartsList
from igloo_local.processes import ChildProcess
from igloo_local.rolling import restart_service
from igloo_local.source import ROOT
from igloo_local.supervisor import Supervisor

_THREADS = 16
# These mean something in nginx.conf and in shell scripts.
_UNFIT = "'\"\\;{}$%"
T = TypeVar("T")


class Interrupted(StackError):
    """Whoever started the stack wants it to stop before it was up."""


class Stack:
    """Everything that `make run` starts; tests start it in folders of their own.

    `given` holds settings of the services by their environment names. An address among them (a database, the
    broker, S3, Facebook) takes the place of the part that would be started. Of each service run `replicas`
    web and worker processes; `adjust` may change what one process, or the `gateway`, is told.
    """

    def __init__(
        self,
        folder: Path,
        *,
        broker: str = "auto",
        gateway_port: int | None = None,
        given: Mapping[str, str] | None = None,
        console: Console | None = None,
        replicas: int = 1,
        adjust: Adjust = unchanged,
    ) -> None:
        self.folder = folder.absolute()
        self.stop_requested = Flag()
        self.addresses = Addresses()
        self.console = console or Console(quiet=True)
        self._broker_wanted = broker
        self._port_wanted = gateway_port
        self._given = dict(given or {})
        self._replicas = replicas
        self._adjust = adjust
        self._lock = FolderLock(self.folder)
        self._supervisor: Supervisor | None = None
        self._parts: PartsList | None = None
        self._restarting = threading.Lock()

    @property
    def parts(self) -> PartsList:
        """The parts of a stack that has been started."""
        if self._parts is None:
            raise StackError("the stack has not been started")
        return self._parts

    @property
    def processes(self) -> Mapping[str, ChildProcess]:
        """Every lasting process by name: `social-web`, `social-worker`, `postgres`, `gateway` and so on."""
        return {process.name: process for part in self.parts.all for process in part.processes}

    def start(self) -> None:
        """Start everything and return when the gateway and all behind it can serve.

        Raises:
            StackError: something does not start; by then everything has been stopped.
        """
        check_path(self.folder)
        check_given_places(self._given)
        self._lock.take()
        try:
            self._end_leftovers()
            self._parts = PartsList(
                self.folder,
                given=self._given,
                gateway_port=self._port_wanted,
                console=self.console,
                replicas=self._replicas,
                adjust=self._adjust,
            )
            self._start_parts(self._parts)
        except BaseException:
            self.stop()
            raise
        self._supervisor = Supervisor(
            [*self.processes.values()], report=self.console.step, restarted=self.write_addresses
        )
        self._supervisor.start()
        self.write_addresses()

    def stop(self) -> None:
        """Stop everything, in the order in which nobody misses what stops first; safe to repeat."""
        if self._supervisor is not None:
            self._supervisor.stop()
        if self._parts is not None:
            self._stop_parts(self._parts)
        (self.folder / FILE_NAME).unlink(missing_ok=True)
        self._lock.release()

    def kill(self) -> None:
        """End every process at once, as a power cut would."""
        if self._supervisor is not None:
            self._supervisor.stop()
        for process in self.processes.values():
            process.wanted = False
            process.kill()
        _in_parallel(Part.stop, self.parts.all)
        self._lock.release()

    def restart(self, name: str) -> None:
        """Restart the processes of auth, social or media one after the other, without a failed request.

        Raises:
            StackError: there is no such service, or a process did not become ready: see `rolling`.
        """
        service = self.parts.services.get(name)
        if service is None:
            raise StackError(f"there is no service {name}; there are {', '.join(self.parts.services)}")
        with self._restarting:
            try:
                restart_service(service, self.parts.gateway, report=self.console.step)
            finally:
                if not self.parts.gateway.abandoned.is_set():
                    self.write_addresses()

    def write_addresses(self) -> None:
        """Write `stack.json` anew, with the process ids of this moment."""
        self.parts.describe(self.addresses)
        self.addresses.pid = os.getpid()
        self.addresses.pids = {
            name: process.pid for name, process in self.processes.items() if process.pid is not None
        }
        self.addresses.write(self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end_leftovers(self) -> None:
        """End what a killed run left alive: every one of our own records of it, nothing else."""
        (self.folder / FILE_NAME).unlink(missing_ok=True)
        _in_parallel(leftovers.end, [*self.folder.glob("*/*.process.json")])

    def _stop_parts(self, parts: PartsList) -> None:
        # Whoever is restarting a service starts nothing more, and is waited for.
        for part in parts.all:
            part.abandoned.set()
        for _ in range(2):
            for group in parts.stop_order():
                _in_parallel(Part.stop, group)
            with self._restarting:
                pass

    def _start_parts(self, parts: PartsList) -> None:
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="start")
        try:
            parts.gateway.start()
            self._wait_for(self._submit_all(pool, parts))
        except BaseException:
            # Whatever the other threads wait for ends now, and with it their waiting; nothing new begins.
            for part in parts.all:
                part.abandoned.set()
            _in_parallel(Part.stop, parts.all)
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _submit_all(self, pool: ThreadPoolExecutor, parts: PartsList) -> list[Future[None]]:
        backing = {part.name: pool.submit(self._start_part, part) for part in parts.backing()}
        choice = pool.submit(self._choose_broker, parts)
        broker = pool.submit(self._start_broker, parts, choice)
        migrated = pool.submit(self._migrate, parts, [choice, *_only(backing, "postgres")])
        done = pool.submit(self._finish_preparation, parts, migrated)
        services = [
            pool.submit(self._start_service, service, migrated, [broker, done])
            for service in parts.services.values()
        ]
        return [*backing.values(), choice, broker, migrated, done, *services]

    def _wait_for(self, pending: Iterable[Future[None]]) -> None:
        waiting = set(pending)
        while waiting:
            done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            if self.stop_requested.is_set():
                raise Interrupted("stopped while starting")

    def _start_part(self, part: Part) -> None:
        part.start()
        self.console.step(f"{part.title} at {part.place}")

    def _choose_broker(self, parts: PartsList) -> None:
        if not parts.broker_url:
            parts.use_broker(choose_broker(self._broker_wanted, report=self.console.step))

    def _start_broker(self, parts: PartsList, choice: Future[None]) -> None:
        choice.result()
        if parts.rabbitmq is not None:
            self._start_part(parts.rabbitmq)

    def _migrate(self, parts: PartsList, needed: Sequence[Future[None]]) -> None:
        _wait_for_all(needed)
        parts.configure()
        parts.preparation.start()
        self.console.step("schemas are at their newest migration")

    def _finish_preparation(self, parts: PartsList, migrated: Future[None]) -> None:
        migrated.result()
        parts.preparation.wait_until_done()

    def _start_service(
        self, service: Service, migrated: Future[None], needed: Sequence[Future[None]]
    ) -> None:
        """Start the web process, which needs no broker, and the worker once its queues are there."""
        migrated.result()
        service.start_web()
        _wait_for_all(needed)
        service.start_worker()
        self.console.step(f"{service.name}: web and worker are ready")


def check_path(folder: Path) -> None:
    """Make sure that every part can live in a folder.

    Raises:
        StackError: its path has characters that mean something to one of them.
    """
    for path in (folder, ROOT):
        if any(character.isspace() or character in _UNFIT for character in str(path)):
            raise StackError(
                f"{path}: nginx and RabbitMQ take no path with blanks, quotes or any of {_UNFIT}"
            )


def _only(futures: Mapping[str, Future[None]], name: str) -> list[Future[None]]:
    return [futures[name]] if name in futures else []


def _wait_for_all(futures: Sequence[Future[None]]) -> None:
    for future in futures:
        future.result()


def _in_parallel(do: Callable[[T], None], things: Sequence[T]) -> None:
    """Do the same with each thing at once and wait for all; the first error is raised."""
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        for _ in pool.map(do, things):
            pass

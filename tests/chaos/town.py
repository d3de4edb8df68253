"""The stack under test: two processes of each kind, links through a proxy, a small disk, clocks to set."""

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import requests

from chaos.canary import Canary
from chaos.clocks import Clocks
from chaos.links import Links
from chaos.small_disk import SmallDisk
from igloo_local.parts.service import Adjust, unchanged
from igloo_local.ports import free_port
from igloo_local.stack import Stack

DATABASE_MEGABYTES = 512
_PROBE_SECONDS = 3.0
# Left alone, PostgreSQL keeps up to a gigabyte of its log.
_SMALL_LOG = ("max_wal_size = '96MB'", "min_wal_size = '32MB'")


class Town:
    """A stack in `folder`; `adjust` may change what a process is told, before the links are led astray."""

    def __init__(
        self,
        folder: Path,
        *,
        broker: str = "rabbitmq",
        replicas: int = 2,
        more_environment: Mapping[str, str] | None = None,
        adjust: Adjust = unchanged,
        small_disk: bool = True,
    ) -> None:
        self.folder = folder
        self.replicas = replicas
        self.links = Links()
        self.clocks = Clocks(folder / "clocks")
        self.disk = SmallDisk(folder / "postgres", megabytes=DATABASE_MEGABYTES)
        self._with_disk = small_disk
        self._before = adjust
        self._more_environment = dict(more_environment or {})
        self.stack = Stack(
            folder, broker=broker, replicas=replicas, adjust=self._adjust, gateway_port=free_port()
        )
        self._entered = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            if self._with_disk:
                entered.enter_context(self.disk)
            entered.enter_context(self.links)
            entered.enter_context(self.clocks)
            entered.enter_context(self.stack)
            self._keep_log_small()
            self._entered = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.close()

    def superuser(self) -> psycopg.Connection:
        """Open an autocommit connection straight to PostgreSQL, past every link."""
        assert self.stack.parts.postgres is not None
        return self.stack.parts.postgres.connect(database="igloo")

    def rabbitmqctl(self, *arguments: str) -> str:
        """Tell the broker's node something, or ask it; returns what it says."""
        assert self.stack.parts.rabbitmq is not None
        return self.stack.parts.rabbitmq.control(*arguments)

    def faketime(self, process: str, offset_seconds: int) -> None:
        """Have a worker believe that it is so much later, or earlier, than it is; zero sets it right."""
        self.clocks.set(process, offset_seconds)

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs of all processes to where they outlive the town."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.stack.addresses.logs, folder)

    def canary(self) -> Canary:
        """Return a canary of this town, which makes its two people at its first use."""
        addresses = self.stack.addresses
        return Canary(
            gateway=addresses.gateway,
            facebook=addresses.facebook,
            facebook_app_id=addresses.facebook_app_id,
        )

    def unready(self) -> str:
        """Say which process does not run or is not ready; nothing when all are."""
        for name, process in self.stack.processes.items():
            if not process.running:
                return f"{name} does not run"
        probes = {
            f"{service}-{role}": f"{url}/readyz"
            for service, one in self.stack.parts.services.items()
            for role, url in one.urls.items()
        }
        for name, url in {"gateway": f"{self.stack.addresses.gateway}/healthz", **probes}.items():
            try:
                status = requests.get(url, timeout=_PROBE_SECONDS).status_code
            except requests.RequestException as error:
                return f"{name}: {type(error).__name__}"
            if status != requests.codes.ok:
                return f"{name} answers {status}"
        return ""

    @property
    def impossible(self) -> dict[str, str]:
        """Kinds of faults that this machine does not permit, each with the reason in words."""
        reasons = {
            "database-disk-full": "" if self._with_disk and not self.disk.why_not else self.disk.why_not,
            "clock-jump": "" if self.clocks.can_jump else "libfaketime is not on this machine",
            "broker-disk-full": "" if self.stack.parts.rabbitmq is not None else "there is no RabbitMQ",
        }
        return {kind: reason for kind, reason in reasons.items() if reason}

    def _adjust(self, process: str, environment: Mapping[str, str]) -> Mapping[str, str]:
        told = environment
        if process != "gateway":
            told = self.clocks.adjust(process, {**told, **self._more_environment})
        return self.links.adjust(process, self._before(process, told))

    def _keep_log_small(self) -> None:
        if self._with_disk and not self.disk.why_not:
            with self.superuser() as connection:
                for setting in _SMALL_LOG:
                    connection.execute(f"ALTER SYSTEM SET {setting}")
                connection.execute("SELECT pg_reload_conf()")

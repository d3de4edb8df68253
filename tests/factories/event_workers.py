"""Worker processes of the tests' two event services."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from factories.event_rooms import environ_of
from factories.waiting import eventually
from igloo_local.parts.postgres import Postgres


class WorkerProcess:
    """One worker in a process of its own, as a supervisor would start it."""

    def __init__(self, server: Postgres, broker_url: str, *, service: str, log: Path) -> None:
        self._port = _free_port()
        environ = environ_of(server, broker_url, service=service, worker_port=str(self._port))
        environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        command = [sys.executable, "-m", "factories.event_services", service]
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, env=environ, stderr=output)  # noqa: S603 - words of this file

    def get(self, path: str) -> tuple[int, str]:
        """Ask the worker's own port; status 0 while it does not answer."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def wait_ready(self) -> Self:
        """Wait until it says that it can work."""
        eventually(
            lambda: self.get("/readyz")[0], lambda status: status == 200, what="the worker being ready"
        )
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """Ask it to stop, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def log(self) -> str:
        """Return what it and its predecessors have logged."""
        return self._log.read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""One of igloo's own services: a web process and a worker process, as in production."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from igloo_local.files import write_secret
from igloo_local.parts.part import Part
from igloo_local.processes import ChildProcess, Command
from igloo_local.source import python_path

READY_SECONDS = 60.0


class Service(Part):
    """auth, social or media; its environment comes complete from the stack."""

    def __init__(self, name: str, folder: Path, *, logs: Path | None = None) -> None:
        super().__init__(folder, logs=logs)
        self.name = self.title = name
        self.environment: dict[str, str] = {}

    @cached_property
    def port(self) -> int:
        """The port of the web process."""
        return self.ports.port("web")

    @cached_property
    def worker_port(self) -> int:
        """The port of the worker's probes and metrics."""
        return self.ports.port("worker")

    @property
    def url(self) -> str:
        """The web process, which only the gateway and tools talk to."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def worker_url(self) -> str:
        """The worker's probes and metrics."""
        return f"http://127.0.0.1:{self.worker_port}"

    def configure(self, environment: Mapping[str, str]) -> None:
        """Set what both processes are started with, and keep it for tools that act as the service."""
        self.environment = {
            **environment,
            "PYTHONPATH": python_path("libs/common", f"services/{self.name}", "infra/local"),
            "IGLOO_WEB_BIND": f"127.0.0.1:{self.port}",
            "IGLOO_WORKER_PORT": str(self.worker_port),
        }
        write_secret(self.folder / "environment.json", json.dumps(self.environment, indent=2))
        web = [
            "-m",
            "gunicorn",
            "--config",
            "python:igloo_common.gunicorn_config",
            f"igloo_{self.name}.wsgi:app",
        ]
        self.begin()
        self._web = self._python("web", web, {"IGLOO_METRICS_FOLDER": str(self._metrics_folder())})
        self._worker = self._python("worker", ["-m", f"igloo_{self.name}.worker"], {})

    def start_web(self) -> None:
        """Start the web process and wait until it can serve."""
        self._web.start()
        self._web.wait_ready(lambda: _answers(f"{self.url}/readyz"), seconds=READY_SECONDS)

    def start_worker(self) -> None:
        """Start the worker and wait until it works."""
        self._worker.start()
        self._worker.wait_ready(lambda: _answers(f"{self.worker_url}/readyz"), seconds=READY_SECONDS)

    def start(self) -> None:
        """Start both processes."""
        self.start_web()
        self.start_worker()

    def _metrics_folder(self) -> Path:
        folder = self.folder / "metrics"
        folder.mkdir(exist_ok=True)
        return folder

    def _python(self, role: str, arguments: Sequence[str], more: Mapping[str, str]) -> ChildProcess:
        return self.add_process(f"{self.name}-{role}", self._command(arguments, more))

    def _command(self, arguments: Sequence[str], more: Mapping[str, str]) -> Command:
        return Command(
            arguments=[sys.executable, *arguments],
            environment={**self.environment, **more, "PYTHONUNBUFFERED": "1"},
            folder=self.folder,
            stop_seconds=10,
        )


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=3).close()  # noqa: S310 - our own server
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return False
    except OSError:
        return False
    return True

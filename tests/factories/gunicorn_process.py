"""A real gunicorn that serves the sample service, or another, on a free port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from factories.environment import service_environ
from factories.polling import wait_until

_ROOT = Path(__file__).parents[2]
_PATHS = ("libs/common", "services/media", "tests", "infra/local")
_COMMAND = ("-m", "gunicorn", "--config", "python:igloo_common.gunicorn_config")


class GunicornProcess:
    """Starts in the `with` statement, and is gone after it; `log` holds what it has written."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        application: str = "factories.sample_wsgi:app",
        **environ: str,
    ) -> None:
        self._application = application
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._log_path = folder / "gunicorn.log"
        self._environ = {
            **service_environ("media", database_url=database_url),
            "PYTHONPATH": ":".join(str(_ROOT / path) for path in _PATHS),
            "IGLOO_WEB_BIND": self.address,
            "IGLOO_METRICS_FOLDER": str(folder / "metrics"),
            **environ,
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has written to standard error so far."""
        return self._log_path.read_text()

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting for it."""
        command = [sys.executable, *_COMMAND, self._application]
        with self._log_path.open("wb") as log:
            self.process = subprocess.Popen(command, env=self._environ, stderr=log, cwd="/")  # noqa: S603 -- fixed words
        return self.process

    def get(self, path: str) -> requests.Response:
        """Ask it over a connection of its own."""
        return requests.get(f"http://{self.address}{path}", timeout=20)

    def answers(self) -> bool:
        """Tell whether it serves."""
        try:
            return self.get("/healthz").ok
        except requests.ConnectionError:
            return False

    def __enter__(self) -> Self:
        self.launch()
        wait_until(self.answers, "gunicorn answers")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

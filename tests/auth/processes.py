"""The service's own processes, started for a test and gone after it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from factories.waiting import eventually

WEB = [
    sys.executable,
    "-m",
    "gunicorn",
    "--config",
    "python:igloo_common.gunicorn_config",
    "igloo_auth.wsgi:app",
]
WORKER = [sys.executable, "-m", "igloo_auth.worker"]


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], environ: dict[str, str], *, ready_at: str) -> Iterator[subprocess.Popen[str]]:
    """Run a process until it answers, and make sure that it is gone in the end."""
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            eventually(lambda: _status(process, ready_at), lambda status: status == 200, what=ready_at)
            yield process
        finally:
            process.kill()


def _status(process: subprocess.Popen[str], address: str) -> int | str:
    assert process.poll() is None, process.communicate()[1]
    try:
        return requests.get(address, timeout=5).status_code
    except requests.ConnectionError as error:
        return type(error).__name__


def stopped(process: subprocess.Popen[str]) -> int:
    """Ask a process to end and return its exit status."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=30)

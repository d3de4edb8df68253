"""The least that the same servers cost: a constant from nginx, and a constant from bare Flask behind it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from flask import Flask

from igloo_local.phone import wait_until
from igloo_local.ports import free_port

app = Flask("floor")


@app.get("/constant")
def constant() -> bytes:
    """Answer what was ready before."""
    return b'{"data": []}'


@contextmanager
def bare_flask() -> Iterator[tuple[str, int]]:
    """Run the constant under gunicorn as igloo's web processes run; yield its address and process id."""
    port = free_port()
    server = subprocess.Popen(  # noqa: S603 - a fixed command of our own
        [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "4",
         "--bind", f"127.0.0.1:{port}", "--keep-alive", "75", "--log-level", "error", "bench.floors:app"],
        cwd="tests",
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(address), bool, what="bare Flask")
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/constant", timeout=1).ok
    except requests.RequestException:
        return False

"""Bounded waiting: poll a condition until it holds, or say what did not happen."""

import socket
import time
from collections.abc import Callable

from igloo_local.errors import StackError

POLL_SECONDS = 0.03


def wait_until(holds: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll `holds` until it is true.

    Raises:
        StackError: it was still false after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise StackError(f"{what} did not happen within {seconds:g} seconds")
        time.sleep(POLL_SECONDS)


def accepts_connections(port: int, *, host: str = "127.0.0.1", patience_seconds: float = 0.5) -> bool:
    """Tell whether something listens on `port`."""
    try:
        with socket.create_connection((host, port), timeout=patience_seconds):
            return True
    except OSError:
        return False

"""Loopback ports: find free ones, and keep the same ones from one start to the next."""

import json
import random
import socket
from pathlib import Path

from igloo_local.errors import PortTaken
from igloo_local.files import write_atomically

# Below the range from which Linux and macOS take the ports of outgoing connections, so that no passing
# connection can take a chosen port before its server binds it. 10,000 is added for gRPC by SeaweedFS.
FIRST_PORT, LAST_PORT = 12_000, 21_000


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could bind `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set this too; without it a port would look taken for a minute after its server closed.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Choose a free port at random, so that two stacks that start together do not meet."""
    for _ in range(200):
        port = random.randint(FIRST_PORT, LAST_PORT)  # noqa: S311 - spreads ports, guards nothing
        if is_free(port):
            return port
    raise PortTaken(f"no free port between {FIRST_PORT} and {LAST_PORT}")


def next_free_port(port: int) -> int:
    """Return the first free port above `port`."""
    for candidate in range(port + 1, port + 200):
        if is_free(candidate):
            return candidate
    raise PortTaken(f"ports {port} to {port + 199} are all taken")


class PortBook:
    """The ports of one folder, remembered in `ports.json` so that addresses survive a restart."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ports.json"
        self._given: dict[str, int] = {}

    def port(self, name: str, wanted: int | None = None) -> int:
        """Return `wanted`, else the remembered port of `name` if nobody took it, else a new free one.

        Asked again, the same book answers the same: by then our own server holds the port.
        """
        if name in self._given:
            return self._given[name]
        remembered = self._read()
        port = wanted or remembered.get(name)
        if port is None or (wanted is None and not is_free(port)):
            port = free_port()
        if remembered.get(name) != port:
            write_atomically(self._path, json.dumps({**remembered, name: port}, indent=2))
        self._given[name] = port
        return port

    def _read(self) -> dict[str, int]:
        try:
            content = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {str(name): int(port) for name, port in content.items()}

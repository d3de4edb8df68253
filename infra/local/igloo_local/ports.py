"""Loopback ports: find free ones, and keep the same ones from one start to the next."""

import atexit
import json
import secrets
import socket
import sys
from collections import deque
from pathlib import Path

from igloo_local.errors import PortTaken
from igloo_local.files import write_atomically

# Below the range from which Linux and macOS take the ports of outgoing connections, so that no passing
# connection can take a chosen port before its server binds it. 10,000 is added for gRPC by SeaweedFS.
FIRST_PORT, LAST_PORT = 12_000, 21_000


# A stack has about twenty ports, chosen before its servers bind them, and tests start several stacks at once.
_CLAIMS_KEPT = 256
_claims: deque[socket.socket] = deque()


@atexit.register
def _give_up_claims() -> None:
    while _claims:
        _claims.pop().close()


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
    """Choose a free port at random, and none that another stack has chosen and not bound yet."""
    for _ in range(200):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        if is_free(port) and _claim(port):
            return port
    raise PortTaken(f"no free port between {FIRST_PORT} and {LAST_PORT}")


def _claim(port: int) -> bool:
    """Keep others of this machine from choosing a port as well; False if somebody else has claimed it.

    By a name in Linux's abstract namespace, which goes with this process; the oldest claims are given up, for
    their servers have bound their ports long since.
    """
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0igloo-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    if len(_claims) > _CLAIMS_KEPT:
        _claims.popleft().close()
    return True


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

"""The process that all links run through: one listener a link, told by lines of JSON how each behaves."""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from typing import Any

from chaos.link_modes import PASS, Mode
from chaos.link_traffic import Pair

Json = dict[str, Any]
_LOOK_SECONDS = 0.05
_BACKLOG = 512


class ProxiedLink:
    """One port and the server behind it.

    When nothing listens at the server's port, this port is closed too until something does: a client has to
    see "connection refused" where it would have seen it without us, for it may then safely ask elsewhere.
    """

    def __init__(self, port: int, target: tuple[str, int]) -> None:
        self.mode = PASS
        self.bytes_passed = 0
        self.connections = 0
        self._port = port
        self._target = target
        self._pairs: set[Pair] = set()
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self._connecting: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen, unless that is done already."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: Pair(self).client, "127.0.0.1", self._port, backlog=_BACKLOG, reuse_address=True
            )

    def close(self) -> None:
        """Listen no more; open connections go on."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def become(self, mode: Mode) -> None:
        """Behave differently from now on, and heal what the mode before has done."""
        before, self.mode = self.mode, mode
        if before.name == "blackhole" and before.forgets:
            self._reset(lambda pair: True)
        self._reset(lambda pair: pair.torn or mode.name in {"reset", "refuse"})
        for pair in [*self._pairs]:
            pair.client.flush()
            pair.server.flush()
            pair.hold(is_held=mode.name == "blackhole")
            if before.name == "blackhole" and mode.name != "blackhole" and not pair.server.is_open:
                self._connect(pair)
        if mode.name == "refuse":
            self.close()
        elif self._watch is None:
            await self.open()

    def pair_opened(self, pair: Pair) -> None:
        """Serve a client that has come, as the mode has it."""
        self.connections += 1
        self._pairs.add(pair)
        if self.mode.name in {"reset", "refuse"}:
            pair.reset()
        elif self.mode.name != "blackhole":
            self._connect(pair)

    def pair_closed(self, pair: Pair) -> None:
        """Forget a pair that has ended."""
        self._pairs.discard(pair)

    def _reset(self, which: Callable[[Pair], bool]) -> None:
        for pair in [pair for pair in self._pairs if which(pair)]:
            pair.reset()

    def _connect(self, pair: Pair) -> None:
        task = asyncio.create_task(self._reach(pair))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _reach(self, pair: Pair) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: pair.server, *self._target)
        except OSError:
            pair.reset()
            self._pairs.discard(pair)
            if self._watch is None:
                self.close()
                self._watch = asyncio.create_task(self._wait_for_server())

    async def _wait_for_server(self) -> None:
        while not await self._server_listens():
            await asyncio.sleep(_LOOK_SECONDS)
        self._watch = None
        if self.mode.name != "refuse":
            await self.open()

    async def _server_listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(*self._target)
        except OSError:
            return False
        writer.transport.abort()
        return True


class Proxy:
    """All links, by name, and the orders that they take."""

    def __init__(self) -> None:
        self._links: dict[str, ProxiedLink] = {}

    async def obey(self, order: Json) -> Json:
        """Carry out one order and return the answer."""
        if order["do"] == "open":
            link = self._links[order["name"]] = ProxiedLink(order["port"], tuple(order["target"]))
            await link.open()
        elif order["do"] == "become":
            for name in order["names"]:
                await self._links[name].become(Mode(**order["mode"]))
        elif order["do"] == "count":
            return {
                name: {"connections": link.connections, "bytes": link.bytes_passed}
                for name, link in self._links.items()
            }
        return {}

    async def serve(self, control: socket.socket) -> None:
        """Take orders until whoever gives them is gone."""
        reader, writer = await asyncio.open_connection(sock=control)
        while line := await reader.readline():
            try:
                answer = {"done": await self.obey(json.loads(line))}
            except Exception as error:  # noqa: BLE001 - told to whoever gave the order
                answer = {"failed": {"reason": f"{type(error).__name__}: {error}"}}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()


if __name__ == "__main__":
    asyncio.run(Proxy().serve(socket.socket(fileno=int(sys.argv[1]))))

"""Sends requests when they are due, whoever is still waiting: a crowd does not slow down for a busy server.

Runs as a process of its own (`python -m bench.open_loop`), with a plan on standard input and what became of
each request on standard output, so that neither takes the other's time.
"""

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final
from uuid import uuid4

NO_ANSWER: Final = 0
NOT_SENT: Final = -1
_MOST_CONNECTIONS: Final = 900
_PATIENCE_SECONDS: Final = 20.0
_KEY: Final = b"{key}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to send: `rate` a second for `seconds`, or as fast as so many connections get answers.

    `requests` are whole requests, of which one is chosen each time by its weight; `{key}` becomes a UUID.
    """

    port: int
    requests: Sequence[str]
    weights: Sequence[float]
    seconds: float
    rate: float = 0.0
    connections: int = 0
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request: seconds since the start, and how it was answered (`NO_ANSWER`, `NOT_SENT` or a status)."""

    kind: int
    due: float
    sent: float
    done: float
    status: int
    retry_after: str = ""
    code: str = ""


class _Connection(asyncio.Protocol):
    """One kept-alive connection that has at most one request under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    @property
    def usable(self) -> bool:
        """Tell whether the next request may go over it."""
        return self.transport is not None and not self.transport.is_closing()

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, bytes, bytes]]":
        """Send one request; the future gets status, head and body."""
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if separator and len(rest) >= _length(head):
            self._buffer = b""
            if b"\r\nConnection: close" in head and self.transport is not None:
                self.transport.close()
            self._settle((int(head[9:12]), head, rest))

    def connection_lost(self, _: Exception | None) -> None:
        self._settle((NO_ANSWER, b"", b""))

    def _settle(self, answer: tuple[int, bytes, bytes]) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


class Crowd:
    """Sends one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._requests = [text.encode() for text in plan.requests]
        self._random = random.Random(plan.seed)  # noqa: S311 -- a load, not a secret
        self._idle: list[_Connection] = []
        self._open = 0
        self._begun = 0.0
        self.outcomes: list[Sent] = []

    async def run(self) -> None:
        """Send everything and wait for the last answer."""
        self._begun = time.monotonic()
        await (self._closed_loop() if self._plan.connections else self._open_loop())

    async def _open_loop(self) -> None:
        under_way = set()
        for due in _arrivals(self._random, self._plan):
            if (early := due - self._now()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(self._send(self._kind(), due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)

    async def _closed_loop(self) -> None:
        await asyncio.gather(*(self._lane() for _ in range(self._plan.connections)))

    async def _lane(self) -> None:
        while (now := self._now()) < self._plan.seconds:
            await self._send(self._kind(), now)

    async def _send(self, kind: int, due: float) -> None:
        if not self._idle and self._open >= _MOST_CONNECTIONS:
            self.outcomes.append(Sent(kind=kind, due=due, sent=due, done=due, status=NOT_SENT))
            return
        sent = self._now()
        status, head, body = await self._answered(self._requests[kind].replace(_KEY, str(uuid4()).encode()))
        refused = status >= 400
        self.outcomes.append(
            Sent(
                kind=kind,
                due=due,
                sent=sent,
                done=self._now(),
                status=status,
                retry_after=_header(head, b"retry-after"),
                code=str(json.loads(body).get("code", "")) if refused else "",
            )
        )

    async def _answered(self, request: bytes) -> tuple[int, bytes, bytes]:
        try:
            connection = await self._connection()
            answer = await asyncio.wait_for(connection.ask(request), _PATIENCE_SECONDS)
        except (OSError, TimeoutError):
            self._open -= 1
            return NO_ANSWER, b"", b""
        if connection.usable:
            self._idle.append(connection)
        else:
            self._open -= 1
        return answer

    async def _connection(self) -> _Connection:
        while self._idle:
            if (connection := self._idle.pop()).usable:
                return connection
            self._open -= 1
        self._open += 1
        _, made = await asyncio.get_running_loop().create_connection(
            _Connection, "127.0.0.1", self._plan.port
        )
        return made

    def _kind(self) -> int:
        [kind] = self._random.choices(range(len(self._requests)), weights=self._plan.weights)
        return kind

    def _now(self) -> float:
        return time.monotonic() - self._begun


def _arrivals(chance: random.Random, plan: Plan) -> Iterator[float]:
    """Yield when the requests of independent people are due: with exponential gaps."""
    due = chance.expovariate(plan.rate)
    while due < plan.seconds:
        yield due
        due += chance.expovariate(plan.rate)


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _header(head: bytes, name: bytes) -> str:
    _, found, rest = head.lower().partition(b"\r\n" + name + b": ")
    return rest.partition(b"\r\n")[0].decode() if found else ""


def main() -> None:
    """Read a plan, send it, and write what became of it."""
    crowd = Crowd(Plan(**json.load(sys.stdin)))
    asyncio.run(crowd.run())
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"cpu_seconds": used.ru_utime + used.ru_stime, "sent": [asdict(each) for each in crowd.outcomes]}
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()

"""Sends a bounded number of requests over kept-alive loopback connections and times each."""

import http.client
import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request, ready to be sent."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Timings:
    """What a load run saw: seconds for the whole, and for each request, sorted."""

    wall_seconds: float
    latencies: tuple[float, ...]

    @property
    def per_second(self) -> float:
        """Requests per second of wall time."""
        return len(self.latencies) / self.wall_seconds

    @property
    def median_ms(self) -> float:
        """Median latency in milliseconds."""
        return statistics.median(self.latencies) * 1000

    @property
    def p99_ms(self) -> float:
        """99th percentile of latency in milliseconds."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * 0.99))] * 1000


class UnexpectedAnswer(Exception):
    """A request of a measured run was not answered with success: the figure would mean nothing."""


def drive(address: str, requests: Sequence[Request], *, connections: int) -> Timings:
    """Send all requests, spread over so many connections, and return their timings.

    Raises:
        UnexpectedAnswer: naming the first answer that was not 2xx.
    """
    shares = [requests[n::connections] for n in range(connections)]
    lanes = [_Lane(address, share) for share in shares if share]
    started = time.perf_counter()
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    wall = time.perf_counter() - started
    for lane in lanes:
        if lane.failure:
            raise lane.failure
    return Timings(wall_seconds=wall, latencies=tuple(sorted(s for lane in lanes for s in lane.latencies)))


class _Lane(threading.Thread):
    """One connection that sends its share, one request after the other."""

    def __init__(self, address: str, share: Sequence[Request]) -> None:
        super().__init__(daemon=True)
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
        self._share = share
        self.latencies: list[float] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        """Send the share; keep what went wrong for the caller to raise."""
        try:
            for request in self._share:
                self._send(request)
        except (OSError, http.client.HTTPException, UnexpectedAnswer) as error:
            self.failure = error
        finally:
            self._connection.close()

    def _send(self, request: Request) -> None:
        started = time.perf_counter()
        self._connection.request(request.method, request.path, body=request.body, headers=request.headers)
        response = self._connection.getresponse()
        body = response.read()
        self.latencies.append(time.perf_counter() - started)
        if not http.client.OK <= response.status < http.client.MULTIPLE_CHOICES:
            message = f"{request.method} {request.path}: {response.status} {body[:300]!r}"
            raise UnexpectedAnswer(message)

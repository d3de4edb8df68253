"""The worker's own small HTTP port: alive, ready, metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from igloo_common import metrics
from igloo_common.backlog import read_backlog
from igloo_common.readiness import Check, readiness_response

Reply = tuple[int, str, bytes]


class BacklogCollector(Collector):
    """Reads the backlog when it is asked for: the database knows it, whichever worker counted."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a gauge for each figure, or none while the database is away."""
        try:
            with self._engine.connect() as connection:
                backlog = read_backlog(connection)
        except SQLAlchemyError:
            return
        for name, value in asdict(backlog).items():
            yield GaugeMetricFamily(f"igloo_{name}", f"Events: {name.replace('_', ' ')}.", value=value)


def worker_replies(
    engine: Engine, *, alive: Callable[[], bool], checks: Callable[[], Sequence[Check]]
) -> Mapping[str, Callable[[], Reply]]:
    """Return what each path answers."""
    registry = CollectorRegistry()
    registry.register(BacklogCollector(engine))

    def scrape() -> Reply:
        return 200, metrics.CONTENT_TYPE, metrics.exposition() + generate_latest(registry)

    def readyz() -> Reply:
        response = readiness_response(checks())
        return response.status_code, response.content_type, response.get_data()

    return {
        "/healthz": lambda: _status("alive" if alive() else "dying", good=alive()),
        "/readyz": readyz,
        "/metrics": scrape,
    }


def _status(status: str, *, good: bool) -> Reply:
    return 200 if good else 503, "application/json", orjson.dumps({"status": status})


class WorkerPort:
    """Serves the replies from a thread of its own until it is closed."""

    def __init__(self, host: str, port: int, replies: Mapping[str, Callable[[], Reply]]) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(replies))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="worker-port", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port in use, which the system chose if 0 was asked for."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(replies: Mapping[str, Callable[[], Reply]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            reply = replies.get(self.path.partition("?")[0])
            status, content_type, body = reply() if reply else (404, "text/plain", b"not found\n")
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep probes out of the log."""

    return Handler

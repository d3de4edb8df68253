"""Small servers in the places of the services and S3, which say what the gateway sent them."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request as it reached an upstream; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an upstream replies; `hang_up` closes the connection without a word instead."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    hold: threading.Event | None = None


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a gateway that gave up on an answer go; anything else is a fault of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # typeshed names a union


class Upstream:
    """An HTTP/1.1 server that keeps connections alive, records every request and answers from `behave`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.received: list[Received] = []
        self.behave: Callable[[Received], Answer] = self._say_who
        self._server = _QuietServer(("127.0.0.1", 0), _handler_for(self))
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to serve, whatever happened."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Forget what was received and behave as at first."""
        self.received.clear()
        self.behave = self._say_who

    def answer(self, answer: Answer) -> None:
        """Give the same answer to everything from now on."""
        self.behave = lambda _received: answer

    @property
    def last(self) -> Received:
        """The newest request."""
        return self.received[-1]

    def _say_who(self, received: Received) -> Answer:
        return Answer(
            body=json.dumps({"service": self.name, "target": received.target}).encode(),
            headers={"Content-Type": "application/json"},
        )


def _handler_for(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            received = Received(
                method=self.command,
                target=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
                connection=self.client_address[1],
            )
            upstream.received.append(received)
            self._send(upstream.behave(received))

        def _send(self, answer: Answer) -> None:
            if answer.hold is not None:
                answer.hold.wait(timeout=30)
            if answer.hang_up:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:  # which may not announce a length (RFC 9110 8.6)
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        # The base class looks them up by these names.
        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PURGE = reply  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the requests are recorded."""

    return Handler

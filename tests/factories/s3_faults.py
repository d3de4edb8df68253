"""An HTTP proxy before S3 that does, by rule, what a server in trouble does."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import unquote, urlsplit

# Nobody waits for longer than this, whatever a test forgets.
_LONGEST_SECONDS: Final = 30.0
_DRIP_SECONDS: Final = 0.05
_NO_BODY: Final = frozenset({"HEAD"})


class Fault(Enum):
    """What goes wrong with a request."""

    ANSWER = auto()
    """The rule's status and code are answered; S3 never hears of it."""
    LATE_ERROR = auto()
    """200, and then an error as the body: what S3 does when a copy fails after its answer has begun."""
    HANG = auto()
    """Nothing is answered until the proxy lets go."""
    DRIP = auto()
    """The answer's body comes a byte at a time."""
    CUT = auto()
    """Half of the answer's body comes, then the connection ends."""
    CUT_UPLOAD = auto()
    """S3 gets half of the request's body, then both connections end."""
    CLOSE = auto()
    """The connection ends before S3 hears of the request."""
    LOSE_ANSWER = auto()
    """S3 does its work, and the connection ends before the answer."""


@dataclass(kw_only=True)
class Rule:
    """Which requests go wrong, and how."""

    fault: Fault
    method: str = "*"
    key: str = "*"
    """A pattern of the object's key, or of the query for what has none (`*list-type*`)."""
    status: int = 500
    code: str = "InternalError"
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    """Answered instead of an error document with the code."""
    skip: int = 0
    """So many requests pass first."""
    times: int | None = None
    """After so many requests it is over; none means not by itself."""
    every: int = 1
    """Only each of so many goes wrong."""
    seen: int = 0
    done: int = 0

    def takes(self, method: str, key: str) -> bool:
        """Tell whether this request goes wrong, and count it."""
        if not (fnmatchcase(method, self.method) and fnmatchcase(key, self.key)):
            return False
        self.seen += 1
        due = self.seen > self.skip and (self.seen - self.skip - 1) % self.every == 0
        if not due or (self.times is not None and self.done >= self.times):
            return False
        self.done += 1
        return True


class FaultyS3:
    """The proxy; without rules it hands everything on, with the Host header that was signed."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._let_go = threading.Event()
        self.requests: list[tuple[str, str]] = []
        """Method and key of all that came, in order."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)

    @property
    def url(self) -> str:
        """The endpoint for clients."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=_LONGEST_SECONDS)

    def break_down(self, fault: Fault, **rule: object) -> Rule:
        """Add a rule, which comes before those there are."""
        made = Rule(fault=fault, **rule)  # type: ignore[arg-type]
        with self._lock:
            self._rules.insert(0, made)
        return made

    def heal(self) -> None:
        """Drop all rules, and let go of those who hang."""
        with self._lock:
            self._rules.clear()
            self.requests.clear()
            let_go, self._let_go = self._let_go, threading.Event()
        let_go.set()

    @contextmanager
    def broken(self, fault: Fault, **rule: object) -> Iterator[Rule]:
        """Have a rule for a while."""
        made = self.break_down(fault, **rule)
        try:
            yield made
        finally:
            self.heal()

    def asked(self, method: str, key: str = "*") -> int:
        """Count the requests of a kind since the proxy was healed last."""
        with self._lock:
            return sum(fnmatchcase(made, method) and fnmatchcase(of, key) for made, of in self.requests)

    def rule_for(self, method: str, target: str) -> Rule | None:
        """Note a request, and return what goes wrong with it."""
        parts = urlsplit(target)
        # Path style: the bucket, then the key.
        key = unquote(parts.path).lstrip("/").partition("/")[2] or parts.query
        with self._lock:
            self.requests.append((method, key))
            return next((rule for rule in self._rules if rule.takes(method, key)), None)

    def hang(self) -> None:
        """Return when the proxy is healed."""
        self._let_go.wait(_LONGEST_SECONDS)

    def connect(self) -> http.client.HTTPConnection:
        """Connect to S3 itself."""
        assert self._upstream.hostname
        return http.client.HTTPConnection(
            self._upstream.hostname, self._upstream.port, timeout=_LONGEST_SECONDS
        )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _LONGEST_SECONDS
    proxy: FaultyS3

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def serve(self) -> None:
        rule = self.proxy.rule_for(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with suppress(OSError, http.client.HTTPException):
            self._serve(rule, body)
            return
        self.close_connection = True

    def _serve(self, rule: Rule | None, body: bytes) -> None:
        fault = rule.fault if rule else None
        if rule is not None and fault in _BEFORE:
            _BEFORE[fault](self, rule)
        elif fault is Fault.CUT_UPLOAD:
            self._cut_upload(body)
        elif fault is Fault.LOSE_ANSWER:
            self._ask(body)
            self._close()
        else:
            answer = self._ask(body)
            self._hand_on(fault, *answer)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = self.proxy.connect()
        try:
            self._begin(upstream, len(body))
            upstream.send(body)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            upstream.close()

    def _begin(self, upstream: http.client.HTTPConnection, length: int) -> None:
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("connection", "content-length", "expect"):
                upstream.putheader(name, value)
        if length or self.command in ("PUT", "POST"):
            upstream.putheader("Content-Length", str(length))
        upstream.endheaders()

    def _cut_upload(self, body: bytes) -> None:
        upstream = self.proxy.connect()
        self._begin(upstream, len(body))
        upstream.send(body[: len(body) // 2])
        upstream.close()
        self._close()

    def _hand_on(self, fault: Fault | None, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        length = str(len(body))
        if self.command in _NO_BODY:
            length = {name.lower(): value for name, value in headers}.get("content-length", "0")
        if status != http.HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", length)
        self.end_headers()
        if fault is Fault.DRIP:
            self._drip(body)
        elif fault is Fault.CUT:
            self.wfile.write(body[: len(body) // 2])
            self._close()
        elif self.command not in _NO_BODY:
            self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        let_go = self.proxy._let_go
        for at in range(len(body)):
            if let_go.wait(_DRIP_SECONDS):
                break
            self.wfile.write(body[at : at + 1])
        self._close()

    def _answer(self, rule: Rule) -> None:
        self._error(rule.status, rule)

    def _late_error(self, rule: Rule) -> None:
        self._error(200, rule)

    def _error(self, status: int, rule: Rule) -> None:
        body = b"" if self.command in _NO_BODY else (rule.body or _error_document(rule.code)).encode()
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/xml", **rule.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang(self, _: Rule) -> None:
        self.proxy.hang()
        self._close()

    def _end(self, _: Rule) -> None:
        self._close()

    def _close(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)


_BEFORE: Final[dict[Fault, Callable[[_Handler, Rule], None]]] = {
    Fault.ANSWER: _Handler._answer,
    Fault.LATE_ERROR: _Handler._late_error,
    Fault.HANG: _Handler._hang,
    Fault.CLOSE: _Handler._end,
}


def _handler(of: FaultyS3) -> type[_Handler]:
    class Handler(_Handler):
        proxy = of

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", _Handler.serve)
    return Handler


def _error_document(code: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f"<Error><Code>{code}</Code><Message>As the test says.</Message><RequestId>1</RequestId></Error>"
    )

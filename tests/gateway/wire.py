"""Requests written byte by byte, for what a well-behaved client library refuses to send."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One response; header names are in lower case, repeated ones joined by a comma."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """Read the body as a JSON object."""
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A way to one port of this machine; every request has a connection of its own."""

    port: int

    def send(self, request: bytes, *, method: str = "GET") -> Reply:
        """Send these bytes and read one response."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            return _read(connection, method)

    def request(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """Send a request whose target goes out exactly as written."""
        lines = [f"{method} {target} HTTP/1.1", "Host: igloo.test", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.send("\r\n".join([*lines, "", ""]).encode() + body, method=method)

    def get(self, target: str, **headers: str) -> Reply:
        """GET `target`; keyword names become header names, with dashes for underscores."""
        return self.request(
            "GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


def _read(connection: socket.socket, method: str) -> Reply:
    response = HTTPResponse(connection, method=method)
    response.begin()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Reply(status=response.status, headers=headers, body=response.read())

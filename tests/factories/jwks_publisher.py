"""Somebody who publishes signing keys at an address of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec


class Publisher:
    """A JWKS address on a real port; `reply` is what it answers next, and None hangs up."""

    def __init__(self) -> None:
        self.reply: tuple[int, bytes] | None = (200, b"{}")
        self.asked = 0
        self.when_asked: Callable[[], None] = lambda: None
        self._published: dict[str, dict[str, str]] = {}
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
                publisher.when_asked()
                if publisher.reply is None:
                    return
                status, body = publisher.reply
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/jwks.json"

    def publish(self, *kids: str) -> None:
        """Answer with fresh keys of these ids."""
        self._published.clear()
        self.publish_again(*kids)

    def publish_again(self, *kids: str) -> None:
        """Answer with keys of these ids: those published before, and fresh ones where there are none."""
        self._published = {kid: self._published.get(kid) or public_jwk(kid) for kid in kids}
        self.reply = (200, json.dumps({"keys": list(self._published.values())}).encode())

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def public_jwk(kid: str) -> dict[str, str]:
    """Make a fresh key, and return its public half as RFC 7517 writes it."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    public: dict[str, str] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key))
    return {**public, "kid": kid, "use": "sig", "alg": "ES256"}

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from factories.clocks import HandClock
from igloo_common.keys import KeysUnavailable, RemoteKeys, parse_keys


class Publisher:
    """A JWKS address on a real port; `reply` is what it answers next, and None hangs up."""

    def __init__(self) -> None:
        self.reply: tuple[int, bytes] | None = (200, b"{}")
        self.asked = 0
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                publisher.asked += 1
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
        self.reply = (200, json.dumps({"keys": [_jwk(kid) for kid in kids]}).encode())

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _jwk(kid: str) -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    public: dict[str, str] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key))
    return {**public, "kid": kid, "use": "sig", "alg": "ES256"}


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    publisher.stop()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def keys(publisher: Publisher, clock: HandClock) -> RemoteKeys:
    return RemoteKeys(publisher.url, monotonic=clock)


def test_keys_are_fetched_once_for_all_tokens(publisher: Publisher, keys: RemoteKeys) -> None:
    publisher.publish("a", "b")

    assert keys.key("a") is keys.key("a")
    assert keys.key("b") is not None
    assert publisher.asked == 1


def test_unknown_ids_cause_a_fetch_at_most_every_few_seconds(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    assert [keys.key(f"made-up-{n}") for n in range(100)] == [None] * 100
    assert publisher.asked == 1

    clock.now += 6
    publisher.publish("a", "new")

    assert keys.key("new") is not None
    assert publisher.asked == 2


def test_known_keys_go_on_while_the_publisher_is_down(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    known = keys.key("a")
    publisher.reply = (500, b"")
    clock.now += 3600

    assert keys.key("a") is known
    assert publisher.asked == 2


@pytest.mark.parametrize(
    "reply",
    [
        None,
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"keys": {}}'),
        (200, b'{"keys": []}'),
        (200, b'{"keys": [' + b" " * 300_000 + b"]}"),
        (302, b""),
    ],
)
def test_what_cannot_be_told_is_503_and_never_no(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock, reply: tuple[int, bytes] | None
) -> None:
    publisher.reply = reply
    with pytest.raises(KeysUnavailable):
        keys.key("a")

    publisher.publish("a")
    with pytest.raises(KeysUnavailable):
        keys.key("a")
    assert publisher.asked == 1, "a publisher in trouble is not asked for every token"
    clock.now += 1

    assert keys.key("a") is not None


def test_an_old_document_is_asked_for_seldom_while_the_publisher_is_down(
    publisher: Publisher, keys: RemoteKeys, clock: HandClock
) -> None:
    publisher.publish("a")
    assert keys.key("a") is not None
    publisher.reply = (500, b"")
    clock.now += 3600

    for _ in range(29):
        assert keys.key("a") is not None
        clock.now += 1

    assert publisher.asked == 2


def test_a_withdrawn_key_stops_working(publisher: Publisher, keys: RemoteKeys, clock: HandClock) -> None:
    publisher.publish("a", "b")
    assert keys.key("a") is not None
    publisher.publish("b")
    clock.now += 301

    assert keys.key("a") is None
    assert keys.key("b") is not None


def test_keys_of_other_kinds_are_passed_over() -> None:
    good = _jwk("good")
    others = [
        {"kty": "RSA", "kid": "rsa", "n": "AQAB", "e": "AQAB"},
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {**_jwk("encrypts"), "use": "enc"},
        {**_jwk("broken"), "x": "AAAA"},
        {**_jwk("x"), "kid": 3},
        "text",
        None,
    ]

    assert list(parse_keys({"keys": [*others, good]})) == ["good"]

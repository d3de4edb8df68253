"""Each mode of a link, as a real connection through it sees it."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from chaos.link_modes import PASS, REFUSE, RESET, Mode, blackhole, half_open, latency, slow
from chaos.links import Link, Links
from igloo_local.phone import wait_until
from igloo_local.ports import free_port

PATIENCE_SECONDS = 10.0
# Long enough that an answer that is only late would be there.
SILENCE_SECONDS = 0.3


class Echo(socketserver.BaseRequestHandler):
    """Sends back what it gets, and counts it."""

    request: socket.socket
    heard = 0

    def handle(self) -> None:
        """Send back until there is nothing more."""
        with contextlib.suppress(ConnectionError):
            while data := self.request.recv(1 << 16):
                Echo.heard += len(data)
                self.request.sendall(data)


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection."""

    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def echo_at(port: int) -> Iterator[None]:
    with Server(("127.0.0.1", port), Echo) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def links() -> Iterator[Links]:
    with Links() as links:
        yield links


@pytest.fixture(scope="module")
def echoing(links: Links) -> Iterator[Link]:
    port = free_port()
    with echo_at(port):
        yield links.open("phone>echo", "127.0.0.1", port)


@pytest.fixture
def link(echoing: Link) -> Iterator[Link]:
    yield echoing
    echoing.heal()


def connect(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE_SECONDS)


def ask(connection: socket.socket, text: bytes = b"ice") -> bytes:
    connection.sendall(text)
    return read(connection, len(text))


def send_to_the_end(connection: socket.socket, text: bytes) -> None:
    connection.sendall(text)
    connection.shutdown(socket.SHUT_WR)


def greet(link: Link) -> bytes:
    with connect(link) as connection:
        return ask(connection)


def read(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            return got
        got += piece
    return got


def open_files(links: Links) -> int:
    return psutil.Process(links.pid).num_fds()


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(SILENCE_SECONDS)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(PATIENCE_SECONDS)
    return False


def await_that(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_SECONDS:g} s"
        time.sleep(0.01)


def test_everything_passes_in_both_directions_to_the_last_byte(link: Link) -> None:
    text = bytes(range(256)) * 8192

    with connect(link) as connection:
        sender = threading.Thread(target=send_to_the_end, args=(connection, text))
        sender.start()
        got = read(connection, len(text))
        sender.join()

        assert got == text
        assert connection.recv(1) == b""


def test_what_has_passed_is_counted(links: Links, link: Link) -> None:
    before = links.counts()["phone>echo"]

    with connect(link) as connection:
        ask(connection, b"x" * 1000)

    after = links.counts()["phone>echo"]
    assert after["connections"] - before["connections"] == 1
    assert after["bytes"] - before["bytes"] == 2000


def test_latency_delays_each_way_and_keeps_the_order(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(latency(0.1, jitter_seconds=0.05))
        started = time.monotonic()
        for piece in (b"a", b"b", b"c"):
            connection.sendall(piece)
            time.sleep(0.005)

        assert read(connection, 3) == b"abc"
        assert time.monotonic() - started >= 0.2


def test_a_slow_link_lets_so_many_bytes_a_second_through(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(slow(20_000))
        started = time.monotonic()

        ask(connection, b"x" * 10_000)

        assert time.monotonic() - started >= 0.5


def test_what_a_slow_link_holds_back_arrives_at_once_when_it_heals(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(slow(100))
        connection.sendall(b"x" * 60_000)
        assert connection.recv(1) == b"x"

        link.heal()

        assert len(read(connection, 59_999)) == 59_999


def test_a_reset_ends_open_connections_and_every_new_one(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(RESET)

        with pytest.raises(ConnectionResetError):
            connection.recv(1)

    with pytest.raises(ConnectionError):
        greet(link)


def test_a_refusing_link_has_closed_its_port(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(REFUSE)

        with pytest.raises(ConnectionResetError):
            connection.recv(1)

    with pytest.raises(ConnectionRefusedError):
        connect(link)


@pytest.mark.parametrize(("swallowed", "reaches"), [("to", False), ("from", True)])
def test_a_half_open_link_swallows_one_direction(link: Link, swallowed: str, reaches: bool) -> None:
    with connect(link) as connection:
        ask(connection)
        heard = Echo.heard
        link.become(Mode(name="half-open", swallowed="to" if swallowed == "to" else "from"))
        connection.sendall(b"ice")

        if reaches:
            await_that(lambda: Echo.heard == heard + 3, "the server hears it")
        assert is_silent(connection)
        assert (Echo.heard > heard) == reaches

        link.heal()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_connection_that_lost_nothing_outlives_a_half_open_link(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(half_open("from"))
        link.heal()

        assert ask(connection) == b"ice"


def test_a_black_hole_answers_nobody_and_afterwards_gives_back_what_it_held(link: Link) -> None:
    with connect(link) as old:
        ask(old)
        link.become(blackhole())
        old.sendall(b"old")
        with connect(link) as new:
            new.sendall(b"new")
            assert is_silent(old)
            assert is_silent(new)

            link.heal()

            assert read(old, 3) == b"old"
            assert read(new, 3) == b"new"


def test_a_black_hole_that_forgets_resets_what_it_held(link: Link) -> None:
    with connect(link) as connection:
        ask(connection)
        link.become(blackhole(forgets=True))
        connection.sendall(b"ice")
        assert is_silent(connection)

        link.heal()

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_healed_link_carries_new_connections(link: Link) -> None:
    for mode in (RESET, REFUSE, blackhole(), half_open("to")):
        link.become(mode)
        link.heal()

        with connect(link) as connection:
            assert ask(connection) == b"ice"


def test_a_link_refuses_while_nobody_listens_behind_it(links: Links) -> None:
    port = free_port()
    with echo_at(port):
        link = links.open("phone>dead", "127.0.0.1", port)
        with connect(link) as connection:
            assert ask(connection) == b"ice"

    def outcome() -> str:
        try:
            return greet(link).decode()
        except ConnectionError as error:
            return type(error).__name__

    await_that(lambda: outcome() == "ConnectionRefusedError", "the link refuses as the server would")
    with echo_at(port):
        await_that(lambda: outcome() == "ice", "the link takes connections again")


def test_processes_are_told_the_link_where_they_would_be_told_the_server(links: Links) -> None:
    told = {
        "IGLOO_SOCIAL_DATABASE_URL": "postgresql+psycopg://igloo_social:se%2Fcret@127.0.0.1:5555/igloo",
        "IGLOO_BROKER_URL": "amqp://igloo:secret@127.0.0.1:5672//",
        "IGLOO_LOG_LEVEL": "INFO",
    }

    worker = links.adjust("social-worker-2", told)
    web = links.adjust("social-web", told)

    database, broker = links["social-worker-2>postgres"], links["social-worker-2>rabbitmq"]
    assert worker == {
        "IGLOO_SOCIAL_DATABASE_URL": (
            f"postgresql+psycopg://igloo_social:se%2Fcret@127.0.0.1:{database.port}/igloo"
        ),
        "IGLOO_BROKER_URL": f"amqp://igloo:secret@127.0.0.1:{broker.port}//",
        "IGLOO_LOG_LEVEL": "INFO",
    }
    assert web["IGLOO_BROKER_URL"] == told["IGLOO_BROKER_URL"]
    assert links["social-web>postgres"].port != database.port


def test_the_gateway_is_told_a_link_for_each_replica_in_their_order(links: Links) -> None:
    told = {
        "AUTH_UPSTREAM": "127.0.0.1:7001 127.0.0.1:7002",
        "SOCIAL_UPSTREAM": "127.0.0.1:7003",
        "MEDIA_UPSTREAM": "127.0.0.1:7004",
        "S3_UPSTREAM": "127.0.0.1:7005",
        "S3_PUBLIC_ORIGIN": "http://127.0.0.1:7005",
    }

    led = links.adjust("gateway", told)

    first, second = links["gateway>auth-web"].port, links["gateway>auth-web-2"].port
    assert led["AUTH_UPSTREAM"] == f"127.0.0.1:{first} 127.0.0.1:{second}"
    assert led["S3_PUBLIC_ORIGIN"] == f"http://127.0.0.1:{links['phones>s3'].port}"


def test_a_link_passes_at_first(link: Link) -> None:
    assert link.mode == PASS


def test_a_connection_that_both_ends_have_ended_is_closed_and_leaves_nothing(
    links: Links, link: Link
) -> None:
    greet(link)
    before = open_files(links)

    for _ in range(20):
        with connect(link) as connection:
            send_to_the_end(connection, b"ice")
            assert read(connection, 4) == b"ice"

    wait_until(lambda: open_files(links), lambda count: count <= before, what="all connections closed")

"""What the kernel says that a process received and sent."""

import os
import socket
import subprocess
import sys

from bench.sockets import SocketMeter, Traffic


def test_what_goes_over_a_connection_is_counted_on_both_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        with client, peer:
            _pass(client, peer, 50_000)

            with SocketMeter({"this": os.getpid()}) as meter:
                _pass(client, peer, 200_000)
                _pass(peer, client, 3_000)

    assert meter.traffic("this").received == 203_000
    assert meter.traffic("this").sent == 203_000


def test_a_connection_of_another_process_is_not_counted() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        client = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
        with client, peer, SocketMeter({"other": other.pid}) as meter:
            _pass(client, peer, 100_000)
        other.communicate(b"\n")

    assert meter.traffic("other") == Traffic()


def _pass(source: socket.socket, sink: socket.socket, count: int) -> None:
    for _ in range(count // 1000):
        source.sendall(bytes(1000))
        left = 1000
        while left:
            left -= len(sink.recv(left))

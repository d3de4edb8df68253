"""What the kernel says that a process received and sent."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.sockets import SocketMeter, Traffic

# A process of its own: in this one, others' connections are at work as well. It answers when all that it has
# sent is acknowledged, which is when the kernel counts it.
_TALKER = """
import fcntl, socket, sys, termios, time
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for count in sys.stdin:
    left = int(count)
    while left:
        left -= len(line.recv(left))
    line.sendall(bytes(int(count) // 100))
    while any(fcntl.ioctl(line, termios.TIOCOUTQ, bytes(4))):
        time.sleep(0.001)
    print(flush=True)
"""


def test_what_goes_over_a_connection_is_counted_from_here_on() -> None:
    with _talker() as (talker, line):
        _exchange(talker, line, 50_000)

        with SocketMeter({"talker": talker.pid}) as meter:
            _exchange(talker, line, 200_000)

    assert meter.traffic("talker") == Traffic(received=200_000, sent=2_000)


def test_a_connection_of_another_process_is_not_counted() -> None:
    with _talker() as (other, _), _talker() as (talker, line), SocketMeter({"other": other.pid}) as meter:
        _exchange(talker, line, 100_000)

    assert meter.traffic("other") == Traffic()


@contextmanager
def _talker() -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", _TALKER, str(server.getsockname()[1])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as talker:  # noqa: S603 - fixed words
            line, _ = server.accept()
            with line:
                yield talker, line
                talker.communicate(timeout=10)


def _exchange(talker: subprocess.Popen[bytes], line: socket.socket, count: int) -> None:
    assert talker.stdin is not None
    assert talker.stdout is not None
    talker.stdin.write(b"%d\n" % count)
    talker.stdin.flush()
    line.sendall(bytes(count))
    left = count // 100
    while left:
        left -= len(line.recv(left))
    assert talker.stdout.readline() == b"\n"

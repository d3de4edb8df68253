"""How many bytes went over the TCP connections of some processes, as the kernel counted them.

/proc/<pid>/io does not tell: its `rchar` counts read(), and Python receives by recv().
"""

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import psutil

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h and linux/tcp.h.
_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, _DONE, _ERROR = 20, 0x301, 3, 2
_INFO: Final = 2
_HEADER, _REQUEST = struct.Struct("=LHHLL"), struct.Struct("=BBBxL48x")
_COOKIE, _INODE, _ATTRIBUTES = 44, 68, 72
_BYTES_ACKED: Final = 120
_ALL_STATES: Final = 0xFFFF_FFFF
_PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Bytes of all connections together; what goes to another process of one's own counts as well."""

    received: int = 0
    sent: int = 0


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One TCP connection's end, with what it has carried since it was opened."""

    inode: int
    cookie: bytes
    received: int
    sent: int


class SocketMeter:
    """Watches the connections of named process trees while the block runs.

    It looks every few milliseconds: of a connection that ends in between, what came after the last look is
    missed. That of the others is exact.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = dict(roots)
        self._first: dict[bytes, Connection] = {}
        self._last: dict[str, dict[bytes, Connection]] = {name: {} for name in roots}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._first = {each.cookie: each for each in connections()}
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def traffic(self, name: str) -> Traffic:
        """Return what one of the trees received and sent within the block."""
        seen = self._last[name].values()
        before = [self._first[each.cookie] for each in seen if each.cookie in self._first]
        return Traffic(
            received=sum(each.received for each in seen) - sum(each.received for each in before),
            sent=sum(each.sent for each in seen) - sum(each.sent for each in before),
        )

    def _watch(self) -> None:
        while not self._over.wait(_PAUSE_SECONDS):
            self._look()

    def _look(self) -> None:
        there = {each.inode: each for each in connections()}
        for name, root in self._roots.items():
            for inode in _inodes(root) & there.keys():
                self._last[name][there[inode].cookie] = there[inode]


def connections() -> Iterator[Connection]:
    """Return every TCP connection of this network namespace."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            question = _REQUEST.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), _ALL_STATES)
            kernel.send(
                _HEADER.pack(_HEADER.size + len(question), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0)
                + question
            )
            yield from _answers(kernel)


def _answers(kernel: socket.socket) -> Iterator[Connection]:
    while True:
        answer = kernel.recv(1 << 20)
        while answer:
            length, kind, *_ = _HEADER.unpack_from(answer)
            if kind == _DONE:
                return
            if kind == _ERROR:
                raise OSError("the kernel does not tell of its connections")
            if (connection := _connection(answer[_HEADER.size : length])) is not None:
                yield connection
            answer = answer[(length + 3) & ~3 :]


def _connection(message: bytes) -> Connection | None:
    """Read one inet_diag_msg; none for what has no counters, as a socket that listens."""
    (inode,) = struct.unpack_from("=L", message, _INODE)
    place = _ATTRIBUTES
    while place + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, place)
        if kind == _INFO and length >= 4 + _BYTES_ACKED + 16:
            sent, received = struct.unpack_from("=QQ", message, place + 4 + _BYTES_ACKED)
            cookie = message[_COOKIE : _COOKIE + 8]
            return Connection(inode=inode, cookie=cookie, received=received, sent=sent)
        place += max((length + 3) & ~3, 4)
    return None


def _inodes(root: int) -> set[int]:
    """Return the sockets that a process and its descendants have open."""
    found: set[int] = set()
    for pid in _tree(root):
        # The process may end, or close any of them, while we look.
        with contextlib.suppress(OSError):
            for entry in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    name = os.readlink(f"/proc/{pid}/fd/{entry}")
                    if name.startswith("socket:["):
                        found.add(int(name[8:-1]))
    return found


def _tree(root: int) -> list[int]:
    try:
        process = psutil.Process(root)
        return [root, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []

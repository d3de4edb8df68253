"""What flows through a link: pairs of connections, whose bytes pass, wait, vanish or are cut off."""

import asyncio
import random
import socket
import struct
from collections import deque
from typing import Protocol, cast

from chaos.link_modes import Direction, Mode

_QUEUE_BYTES = 64 * 1024
_PIECES_A_SECOND = 20
_NO_LINGER = struct.pack("ii", 1, 0)
_JITTER = random.Random()  # noqa: S311 - spreads delays, keeps no secret


class Way(Protocol):
    """What a pair asks of its link."""

    mode: Mode
    bytes_passed: int


class Side(asyncio.Protocol):
    """One of the two connections of a pair; what it reads goes out at `other`."""

    transport: asyncio.Transport
    other: "Side"

    def __init__(self, pair: "Pair", direction: Direction) -> None:
        self.pair = pair
        self.direction = direction
        self.is_open = self.has_ended = False
        self._full = self._held = self._reading_paused = False
        self._queue: deque[tuple[float, bytes | None]] = deque()
        self._queued_bytes = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the client's side waits until the server's is there."""
        self.transport = cast("asyncio.Transport", transport)
        self.is_open = True
        self._apply_pause()
        self.pair.side_opened(self)

    def data_received(self, data: bytes) -> None:
        """Pass on what was read, as the link's present mode has it."""
        way = self.pair.way
        if way.mode.name == "pass" and not self._queue:
            way.bytes_passed += len(data)
            if self.other.is_open:
                self.other.transport.write(data)
        elif way.mode.name == "half-open" and way.mode.swallowed == self.direction:
            self.pair.torn = True
        else:
            self._enqueue(data)

    def eof_received(self) -> bool:
        """Pass on that nothing more will come, after what is still on its way."""
        mode = self.pair.way.mode
        if mode.name == "half-open" and mode.swallowed == self.direction:
            self.pair.torn = True
        elif self._queue:
            self._queue.append((self._due, None))
        else:
            self._pass_on_end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side alike: with a reset if this one was reset."""
        self.is_open = False
        self.flush()
        self.pair.side_lost(self, reset=exc is not None)

    def pause_writing(self) -> None:
        """Read no more at the other side than this one can send."""
        self.other.set_full(is_full=True)

    def resume_writing(self) -> None:
        """Read on at the other side."""
        self.other.set_full(is_full=False)

    def set_full(self, *, is_full: bool) -> None:
        """Note whether there is room for what this side would read."""
        self._full = is_full
        self._apply_pause()

    def set_held(self, *, is_held: bool) -> None:
        """Stop reading, or read on: what is not read stays in the kernel's buffers and in the sender's."""
        self._held = is_held
        self._apply_pause()

    def reset(self) -> None:
        """Cut the connection with an RST."""
        if self.is_open:
            self.is_open = False
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
            )
            self.transport.abort()

    def flush(self) -> None:
        """Send at once whatever was delayed, in its order."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            self._send_next()
        self._due = 0.0
        self._apply_pause()

    def _apply_pause(self) -> None:
        paused = self._full or self._held or self._queued_bytes > _QUEUE_BYTES
        if self.is_open and paused != self._reading_paused:
            self._reading_paused = paused
            (self.transport.pause_reading if paused else self.transport.resume_reading)()

    def _enqueue(self, data: bytes) -> None:
        mode, now = self.pair.way.mode, asyncio.get_running_loop().time()
        size = max(1, mode.bytes_per_second // _PIECES_A_SECOND) if mode.name == "slow" else len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            if mode.name == "slow":
                self._due = max(self._due, now) + len(piece) / mode.bytes_per_second
            else:
                wait = mode.seconds + _JITTER.uniform(0, mode.jitter_seconds)
                self._due = max(self._due, now + wait)
            self._queue.append((self._due, piece))
            self._queued_bytes += len(piece)
        self._apply_pause()
        self._arm()

    def _arm(self) -> None:
        if self._queue and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(self._queue[0][0], self._send_due)

    def _send_due(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0][0] <= now:
            self._send_next()
        self._apply_pause()
        self._arm()

    def _send_next(self) -> None:
        _, piece = self._queue.popleft()
        self._queued_bytes -= len(piece or b"")
        self.pair.way.bytes_passed += len(piece or b"")
        if piece is None:
            self._pass_on_end()
        elif self.other.is_open:
            self.other.transport.write(piece)

    def _pass_on_end(self) -> None:
        """Tell the other side; once both have ended, close: a connection kept half open is nobody's then."""
        self.has_ended = True
        if self.other.is_open and self.other.transport.can_write_eof():
            self.other.transport.write_eof()
        if self.other.has_ended:
            for side in (self, self.other):
                if side.is_open:
                    side.transport.close()


class Pair:
    """A client's connection and ours to the server on its behalf."""

    def __init__(self, way: "Owner") -> None:
        self.way = way
        self.torn = False
        self.client, self.server = Side(self, "to"), Side(self, "from")
        self.client.other, self.server.other = self.server, self.client

    def side_opened(self, side: Side) -> None:
        """Join the pair to its link, and connect to the server once the client is there."""
        if side is self.client:
            self.client.set_held(is_held=True)
            self.way.pair_opened(self)
        elif not self.client.is_open:
            self.server.reset()
        else:
            self.hold(is_held=self.way.mode.name == "blackhole")

    def side_lost(self, side: Side, *, reset: bool) -> None:
        """End the other side, and leave the link once both have ended."""
        if reset:
            side.other.reset()
        elif side.other.is_open:
            side.other.set_held(is_held=False)
            side.other.transport.close()
        if not (self.client.is_open or self.server.is_open):
            self.way.pair_closed(self)

    def hold(self, *, is_held: bool) -> None:
        """Hold back both directions, or let them go on; the client waits for the server in any case."""
        self.client.set_held(is_held=is_held or not self.server.is_open)
        self.server.set_held(is_held=is_held)

    def reset(self) -> None:
        """Cut both connections off."""
        self.client.reset()
        self.server.reset()


class Owner(Way, Protocol):
    """The link of a pair."""

    def pair_opened(self, pair: Pair) -> None:
        """Take note of a client that has come."""

    def pair_closed(self, pair: Pair) -> None:
        """Forget a pair that has ended."""

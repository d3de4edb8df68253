"""Messages by files in a folder: the fallback for a machine without RabbitMQ.

kombu's own `filesystem://` transport was tried and left: it names files by the millisecond since boot and a
random number (no order within a batch, none at all across a restart of the machine), takes a file away
before the message is acknowledged (a kill loses it), writes in place (a reader may see half a message) and
polls once a second.

Here a message is a file in its queue's folder from before it is confirmed until after it is acknowledged:

* it is written under another name, flushed to the disk and renamed, so that it is there whole or not at
all; * its name sorts after every name given before, by a clock that never runs backwards; * the one
subscriber, who holds the queue's lock file, reads without moving anything, and deletes to acknowledge.

A process killed at any moment leaves the file where it was, and the kernel releases its lock: the message
comes again, and the inbox knows it by its id.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time, time_ns
from typing import IO

import orjson

from igloo_common.messaging.broker import BrokerUnavailable, Incoming, Outgoing, PublishOutcome
from igloo_common.messaging.topology import GATHER_SECONDS, PREFETCH

MAX_QUEUED = 100_000
_POLL_SECONDS = 0.02
_ABANDONED_SECONDS = 3600.0
_UNFINISHED = "."


class EmbeddedBroker:
    """A folder that every process of the machine can write to."""

    def __init__(self, folder: str | Path) -> None:
        self._bindings = Path(folder) / "bindings"
        self._queues = Path(folder) / "queues"

    def declare(self, queue: str, types: Collection[str]) -> None:
        """Make the queue's folder and write down which types it wants."""
        self._bindings.mkdir(parents=True, exist_ok=True)
        self._queues.mkdir(parents=True, exist_ok=True)
        if types:
            (self._queues / queue).mkdir(exist_ok=True)
            _write_whole(self._bindings / f"{queue}.json", orjson.dumps(sorted(types)))
            _flush_folder(self._bindings)

    def publisher(self) -> EmbeddedPublisher:
        """Open the folder for publishing."""
        return EmbeddedPublisher(self._bindings, self._queues)

    def subscriber(self, queue: str) -> EmbeddedSubscriber:
        """Open a queue; the first subscriber is served until it ends, by whatever means."""
        return EmbeddedSubscriber(self._queues / queue)


class EmbeddedPublisher:
    """Writes each message into the folder of every queue that wants its type."""

    def __init__(self, bindings: Path, queues: Path) -> None:
        self._bindings = bindings
        self._queues = queues
        with _as_unavailable():
            self._stamp = max(
                (_stamp(name) for queue in _folders(queues) for name in _messages(queue)), default=0
            )

    def publish(self, messages: Sequence[Outgoing]) -> PublishOutcome:
        """Write every message; a queue that is full refuses."""
        with _as_unavailable():
            wanted = self._read_bindings()
            full = {queue for queue in wanted if len(_messages(queue)) + len(messages) > MAX_QUEUED}
            returned, nacked, used = set(), set(), set()
            for message in messages:
                queues = [queue for queue, types in wanted.items() if message.routing_key in types]
                if not queues:
                    returned.add(message.event_id)
                elif full.intersection(queues):
                    nacked.add(message.event_id)
                else:
                    self._write(message, queues)
                    used.update(queues)
            for queue in used:
                _flush_folder(queue)
        everything = frozenset(message.event_id for message in messages)
        return PublishOutcome(
            confirmed=everything - returned - nacked, returned=frozenset(returned), nacked=frozenset(nacked)
        )

    def keep_alive(self) -> None:
        """Notice that the folder has gone."""
        with _as_unavailable():
            self._bindings.stat()

    def close(self) -> None:
        """Leave nothing open: there is nothing."""

    def _read_bindings(self) -> dict[Path, frozenset[str]]:
        files = self._bindings.glob("[!.]*.json")
        return {self._queues / file.stem: frozenset(orjson.loads(file.read_bytes())) for file in files}

    def _write(self, message: Outgoing, queues: Sequence[Path]) -> None:
        # A clock set back must not put a message before one that was published earlier.
        self._stamp = max(time_ns(), self._stamp + 1)
        for queue in queues:
            _write_whole(queue / f"{self._stamp:020d}~{message.routing_key}~{message.event_id}", message.body)


class EmbeddedSubscriber:
    """Reads a queue's folder in the order of its names while it holds the queue's lock."""

    def __init__(self, queue: Path) -> None:
        self._queue = queue
        with _as_unavailable():
            self._lock: IO[bytes] = (queue.parent / f".{queue.name}.lock").open("ab")
        self._active = False

    def receive(self, *, timeout_seconds: float) -> Sequence[Incoming]:
        """Return the oldest messages; those not acknowledged are returned again."""
        deadline = monotonic() + timeout_seconds
        with _as_unavailable():
            while not (self._is_active() and _messages(self._queue)):
                if monotonic() >= deadline:
                    return []
                sleep(min(_POLL_SECONDS, timeout_seconds))
            sleep(GATHER_SECONDS)
            return [self._read(name) for name in sorted(_messages(self._queue))[:PREFETCH]]

    def acknowledge(self, messages: Sequence[Incoming]) -> None:
        """Delete the files, which is what forgets them."""
        with _as_unavailable():
            for message in messages:
                (self._queue / str(message.tag)).unlink(missing_ok=True)

    def keep_alive(self) -> None:
        """Notice that the folder has gone."""
        with _as_unavailable():
            self._queue.stat()

    def depths(self) -> Mapping[str, int]:
        """Count the files; a folder has no dead letters."""
        with _as_unavailable():
            return {self._queue.name: len(_messages(self._queue))}

    def close(self) -> None:
        """Let another subscriber have the queue."""
        self._lock.close()
        self._active = False

    def _is_active(self) -> bool:
        if not self._active:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._active = True
            _remove_abandoned(self._queue)
        return True

    def _read(self, name: str) -> Incoming:
        return Incoming(
            body=(self._queue / name).read_bytes(),
            routing_key=name.split("~")[1],
            content_type="application/json",
            tag=name,
        )


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """Report a full disk or a missing folder as what it means for messages."""
    try:
        yield
    except OSError as error:
        raise BrokerUnavailable(str(error)) from error


def _folders(queues: Path) -> list[Path]:
    return [path for path in queues.iterdir() if path.is_dir()]


def _messages(queue: Path) -> list[str]:
    return [name for name in os.listdir(queue) if not name.startswith(_UNFINISHED)]


def _stamp(name: str) -> int:
    return int(name.split("~", maxsplit=1)[0])


def _write_whole(path: Path, content: bytes) -> None:
    """Make a file appear under its name only when all of it is on the disk."""
    unfinished = path.with_name(f"{_UNFINISHED}{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _flush_folder(folder: Path) -> None:
    """Bring the names to the disk as well: a rename alone does not survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_abandoned(queue: Path) -> None:
    """Remove what a publisher killed in mid-write left; it was never confirmed, so it is written again."""
    for path in queue.glob(f"{_UNFINISHED}*"):
        if path.stat().st_mtime < time() - _ABANDONED_SECONDS:
            path.unlink(missing_ok=True)

"""One connection to RabbitMQ, given up at the first error."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from amqp.exceptions import NotFound
from kombu import Connection

from igloo_common.messaging.broker import BrokerUnavailable

_IO_SECONDS = 10.0
_HEARTBEAT_SECONDS = 10


class Link:
    """One connection with one channel, given up at the first error."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(
            url,
            heartbeat=_HEARTBEAT_SECONDS,
            connect_timeout=_IO_SECONDS,
            # Without these a stalled link blocks for ever: the heartbeat is checked by the thread that is
            # stuck.
            transport_options={"read_timeout": _IO_SECONDS, "write_timeout": _IO_SECONDS},
        )
        self._errors = (*self._connection.connection_errors, *self._connection.channel_errors, OSError)
        with self.guarded():
            self.channel = self._connection.channel()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Give the connection up at any error of its own: what it had under way is not known any more.

        After a confirm that came too late, the next message would take it for its own.
        """
        try:
            yield
        except self._errors as error:
            self.close()
            raise BrokerUnavailable(f"{type(error).__name__}: {error}") from error

    def drain(self, *, timeout_seconds: float) -> bool:
        """Handle the next frame; False when none came in time."""
        try:
            self._connection.drain_events(timeout=timeout_seconds)
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def count_waiting(self, queues: Collection[str]) -> Mapping[str, int]:
        """Count what waits in queues; one that does not exist is left out.

        Over a channel of its own: the broker closes a channel that asks for a queue that is not there.
        """
        counts: dict[str, int] = {}
        for queue in queues:
            with suppress(NotFound):
                channel = self._connection.channel()
                counts[queue] = channel.queue_declare(queue, passive=True).message_count
                channel.close()
        return counts

    def check_heartbeat(self) -> None:
        """Send a heartbeat if one is due, and fail if the broker has missed its own."""
        self._connection.heartbeat_check()

    def close(self) -> None:
        """Close without waiting for a broker that does not answer."""
        self._connection.collect(socket_timeout=1)

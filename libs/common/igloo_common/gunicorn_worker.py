"""gunicorn's threaded worker, made to stop without a failed request."""

from __future__ import annotations

from time import monotonic
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from igloo_common import draining


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Stops in three steps, of which gunicorn itself knows the last.

    1. For `drain_seconds` after SIGTERM it serves as before, and says what is coming: `Connection: close` in
       every answer, 503 at /readyz. Whoever sends requests here has time to hear of the end.
    2. It takes every connection that waits to be accepted, then closes the listener at once. gunicorn's own
       worker keeps the listener open until the last request is answered and accepts nothing more from it: the
       kernel goes on taking connections, and resets them all at the end.
    3. Requests under way are answered, and for two seconds those that come over connections kept alive.
    """

    alive: bool
    drain_seconds = 0

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 -- gunicorn's, handed through
        super().__init__(*args, **options)
        self._serves_until: float | None = None

    def handle_exit(self, sig: int, frame: object) -> None:
        """Begin to drain at the first order to stop, and stop at the second."""
        if not self.drain_seconds or self._serves_until is not None:
            super().handle_exit(sig, frame)
            return
        self._serves_until = monotonic() + self.drain_seconds
        draining.begin()
        # Wakes the loop below, which may be in the midst of a long wait.
        self.method_queue.defer(lambda: None)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Wait no longer than until the draining is over."""
        if self.alive and self._serves_until is not None:
            left = self._serves_until - monotonic()
            self.alive = left > 0
            timeout = max(0.0, min(timeout, left))
        super().wait_for_and_dispatch_events(timeout)

    def handle_request(self, req: Any, conn: Any) -> bool:  # noqa: ANN401 -- gunicorn's, which have no types
        """Answer one request; while draining, as the last one of its connection."""
        if self._serves_until is not None:
            req.must_close = True
        answered: bool = super().handle_request(req, conn)
        return answered

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or pause; who is stopping closes the listeners, with nobody left in front of them."""
        super().set_accept_enabled(enabled)
        if not (enabled or self.alive):
            for listener in self.sockets:
                self._accept_all(listener)
                listener.close()
            self._hurry_silent_connections()

    def _accept_all(self, listener: Any) -> None:  # noqa: ANN401 -- gunicorn's, which has no types
        count = -1
        while count != self.nr_conns:
            count = self.nr_conns
            self.accept(listener)

    def _hurry_silent_connections(self) -> None:
        """Give those that connected and said nothing no longer than those that are kept alive."""
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, monotonic() + STOP_KEEPALIVE_LINGER)

"""The thread that ties one person's action together across processes: request id and W3C trace context."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Trace(NamedTuple):
    """Where the present work belongs; `span_id` is this process's own step in it."""

    request_id: str
    trace_id: str
    span_id: str
    flags: str

    @property
    def traceparent(self) -> str:
        """Render for the next hop (https://www.w3.org/TR/trace-context/)."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("igloo_trace", default=None)


def current_trace() -> Trace | None:
    """Tell what trace the present thread works for, if any."""
    return _current.get()


def current_traceparent() -> str | None:
    """Give the `traceparent` to send along with events and outgoing calls."""
    trace = _current.get()
    return trace.traceparent if trace else None


def start_trace(traceparent: str | None = None, request_id: str | None = None) -> Trace:
    """Join the caller's trace for the rest of this thread's work; without a valid one, begin one."""
    match = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    fresh = os.urandom(24).hex()
    trace_id, flags = (match.group(1), match.group(3)) if match else (fresh[:32], "01")
    known = request_id if request_id and _REQUEST_ID.fullmatch(request_id) else trace_id
    trace = Trace(known, trace_id, fresh[32:], flags)
    _current.set(trace)
    return trace


@contextmanager
def continued_trace(traceparent: str | None, *, request_id: str | None = None) -> Iterator[Trace]:
    """Work for the trace of a delivery, and for none after it."""
    before = _current.get()
    try:
        yield start_trace(traceparent, request_id)
    finally:
        _current.set(before)

"""Faults on demand: the next calls of a path get an answer that Facebook gives on a bad day."""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum

from flask import Response

from igloo_local.facebook.errors import GraphError, ParameterInvalid, graph_error_response

_HTML = "<!doctype html><title>Error</title><p>Sorry, something went wrong.</p>"
_LONGEST_SECONDS = 60.0


class Kind(StrEnum):
    """What goes wrong."""

    SLOW = "slow"
    """The true answer, after `seconds`."""
    ERROR = "500"
    HTML = "html"
    TRUNCATED = "truncated"
    OTHER_SHAPE = "other_shape"
    HUGE = "huge"
    REDIRECT = "redirect"
    THROTTLED = "throttled"
    APP_REFUSED = "app_refused"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One answer that is not the true one."""

    kind: Kind
    seconds: float


class Faults:
    """The faults that wait for calls; gone with the process."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = defaultdict(deque)
        self._changing = threading.Lock()

    def add(self, path: str, *, kind: str, times: int, seconds: float) -> None:
        """Have the next calls of a path (without the version) fail."""
        if kind not in list(Kind):
            raise ParameterInvalid(f"kind must be one of {', '.join(Kind)}")
        if not 0 <= seconds <= _LONGEST_SECONDS:
            raise ParameterInvalid(f"seconds must be between 0 and {_LONGEST_SECONDS:.0f}")
        with self._changing:
            self._waiting[path].extend([Fault(kind=Kind(kind), seconds=seconds)] * times)

    def clear(self) -> None:
        """Have nothing fail any more."""
        with self._changing:
            self._waiting.clear()

    def answer(self, path: str) -> Response | None:
        """Return what a call of this path gets instead of its answer; None when nothing is wrong."""
        with self._changing:
            waiting = self._waiting.get(path)
            fault = waiting.popleft() if waiting else None
        if fault is None:
            return None
        time.sleep(fault.seconds)
        return None if fault.kind is Kind.SLOW else _answer(fault.kind)


def _answer(kind: Kind) -> Response:
    match kind:
        case Kind.HTML:
            return Response(_HTML, mimetype="text/html")
        case Kind.TRUNCATED:
            return Response('{"data": {"is_va', mimetype="application/json")
        case Kind.OTHER_SHAPE:
            return Response('["another", {"shape": 1}]', mimetype="application/json")
        case Kind.HUGE:
            return Response(" " * (4 * 1024 * 1024), mimetype="application/json")
        case Kind.REDIRECT:
            return Response(status=302, headers={"Location": "https://www.facebook.com/"})
        case _:
            return graph_error_response(_graph_error(kind))


def _graph_error(kind: Kind) -> GraphError:
    if kind is Kind.THROTTLED:
        return GraphError("(#4) Application request limit reached", code=4)
    if kind is Kind.APP_REFUSED:
        return GraphError("Error validating application. Cannot get application info.", code=101)
    return GraphError("An unknown error has occurred.", code=1, status=500)

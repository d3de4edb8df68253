"""What is recorded of every request: its trace, one access line and its metrics."""

import time
from datetime import datetime
from typing import Final

from flask import Flask, Response, g, request

from igloo_common.clock import utc_now
from igloo_common.errors import NotFound
from igloo_common.logs import write_line
from igloo_common.metrics import count_request
from igloo_common.probes import PROBE_PATHS
from igloo_common.tracing import current_trace, start_trace

_MAX_PATH_CHARACTERS: Final = 256


class UnknownPath(NotFound):
    """No such path."""

    code = "not_found"


def observe_requests(app: Flask, *, service: str, access_log: bool) -> None:
    """Record every request of an application; `access_log` is false where the log level hides such lines."""

    def begin() -> None:
        environ = request.environ
        g.started = time.perf_counter()
        start_trace(environ.get("HTTP_TRACEPARENT"), environ.get("HTTP_X_REQUEST_ID"))
        if "\0" in request.path:
            # PostgreSQL refuses this character in any text, and no name of ours has it.
            raise UnknownPath("There is nothing at this path.")

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        rule = request.url_rule
        route = rule.rule if rule is not None else None
        trace = current_trace()
        if trace is not None:
            response.headers["X-Request-Id"] = trace.request_id
        count_request(method=request.method, route=route, status=response.status_code, seconds=seconds)
        if access_log and not (route in PROBE_PATHS and response.status_code < 400):  # noqa: PLR2004
            write_line(_access_line(service, response, route, seconds, utc_now()))
        return response

    app.before_request(begin)
    app.after_request(finish)


def _access_line(
    service: str, response: Response, route: str | None, seconds: float, now: datetime
) -> dict[str, object]:
    trace, identity = current_trace(), g.get("identity")
    # The query string stays out: it may carry signatures and one-time codes.
    return {
        "time": now,
        "level": "info",
        "service": service,
        "logger": "igloo.access",
        "message": "request",
        "request_id": trace and trace.request_id,
        "trace_id": trace and trace.trace_id,
        "method": request.method,
        "path": request.path[:_MAX_PATH_CHARACTERS],
        "route": route,
        "status": response.status_code,
        "bytes": response.calculate_content_length(),
        "milliseconds": round(seconds * 1000, 2),
        "user_id": identity and identity.user_id,
    }

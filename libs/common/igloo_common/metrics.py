"""What Prometheus may know of this process, and how it is asked."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

from igloo_common.settings import METRICS_FOLDER

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
UNMATCHED: Final = "unmatched"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LATENCY_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_REQUESTS: Final = Counter("igloo_http_requests", "Requests answered.", ["method", "route", "status"])
_LATENCY: Final = Histogram(
    "igloo_http_request_seconds", "Time to answer a request.", ["method", "route"], buckets=_LATENCY_BUCKETS
)


def count_request(*, method: str, route: str | None, status: int, seconds: float) -> None:
    """Count one answered request under its route's template; None is a path that no route serves.

    Raw paths and made-up methods would let strangers grow the number of time series without end.
    """
    count, observe = _series(method if method in _METHODS else "other", route or UNMATCHED, status)
    count()
    observe(seconds)


def exposition() -> bytes:
    """Render all metrics, those of the sibling processes included, in the text format of CONTENT_TYPE."""
    return generate_latest(_registry())


def forget_earlier_processes() -> None:
    """Remove what the processes of an earlier start left in the shared folder; call before any is forked."""
    if METRICS_FOLDER is not None:
        for left_over in Path(METRICS_FOLDER).glob("*.db"):
            left_over.unlink(missing_ok=True)


def mark_process_dead(pid: int) -> None:
    """Take an ended process out of the gauges that count living ones."""
    if METRICS_FOLDER is not None:
        multiprocess.mark_process_dead(pid, METRICS_FOLDER)  # type: ignore[no-untyped-call]


def _registry() -> CollectorRegistry:
    if METRICS_FOLDER is None:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


@lru_cache(maxsize=4096)
def _series(method: str, route: str, status: int) -> tuple[Callable[[], None], Callable[[float], None]]:
    # The look-up by labels takes a lock and costs more than the counting does.
    count = _REQUESTS.labels(method, route, str(status)).inc
    return count, _LATENCY.labels(method, route).observe

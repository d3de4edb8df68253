"""How a supervisor asks: is the process alive, can it serve, what does it count."""

from collections.abc import Callable, Sequence
from typing import Final

from flask import Flask, Response

from igloo_common import draining, metrics
from igloo_common.readiness import Check, Verdict, database_checks, readiness_response
from igloo_common.responses import json_response

PROBE_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})

_STOPPING: Final = Check(
    name="process", verdict=Verdict.UNREADY, told={"state": "stopping"}, sentence="The process stops."
)


def add_probes(
    app: Flask, *, database_url: str, schema: str, more: Sequence[Callable[[], Check]] = ()
) -> None:
    """Serve /healthz (the process alone), /readyz (the database and `more`, never the broker), /metrics."""

    def healthz() -> Response:
        return json_response({"status": "alive"})

    def readyz() -> Response:
        checks = database_checks(database_url, schema=schema)
        if draining.is_under_way():
            checks.append(_STOPPING)
        return readiness_response([*checks, *(check() for check in more)])

    def scrape() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    for path, view in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", scrape)):
        app.add_url_rule(path, f"probe_{path[1:]}", view)

"""How a supervisor asks: is the process alive, can it serve, what does it count."""

import logging
from typing import Final

import psycopg
from flask import Flask, Response

from igloo_common import metrics
from igloo_common.problems import problem_response
from igloo_common.responses import json_response

PROBE_PATHS: Final = frozenset({"/healthz", "/readyz", "/metrics"})

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS: Final = 2  # libpq waits no shorter
_STATEMENT_MILLISECONDS: Final = 1000


def database_answers(database_url: str) -> bool:
    """Ask the database one trivial thing over a connection of its own, with a short timeout.

    The pool is not asked: a busy process is not an unready one, and a broken pooled connection says nothing
    of the database.
    """
    options = f"-c statement_timeout={_STATEMENT_MILLISECONDS}"
    url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        with psycopg.connect(url, connect_timeout=_CONNECT_SECONDS, options=options) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        _LOG.warning("The database does not answer", extra={"reason": type(error).__name__})
        return False
    return True


def add_probes(app: Flask, *, database_url: str) -> None:
    """Serve /healthz (the process alone), /readyz (the database; never the broker) and /metrics."""

    def healthz() -> Response:
        return json_response({"status": "alive"})

    def readyz() -> Response:
        if database_answers(database_url):
            return json_response({"status": "ready"})
        return problem_response(
            503, "unavailable", "The database does not answer.", headers={"Retry-After": "2"}
        )

    def scrape() -> Response:
        return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)

    for path, view in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", scrape)):
        app.add_url_rule(path, f"probe_{path[1:]}", view)

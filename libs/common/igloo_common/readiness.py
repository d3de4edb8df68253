"""What a process says of each thing that it needs, and what follows: ready, degraded or unready."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import psycopg
from flask import Response

from igloo_common.keys import STALE_AFTER_SECONDS, RemoteKeys
from igloo_common.problems import problem_response
from igloo_common.responses import json_response
from igloo_common.short_connections import short_connection

_LOG = logging.getLogger(__name__)
_LATE_SECONDS: Final = 60.0

# The first row of the partial index is the oldest but for milliseconds, and takes no longer with a million
# events waiting, when a minimum would read them all.
_OLDEST_EVENT: Final = """
SELECT (SELECT greatest(extract(epoch FROM now() - created_at), 0)::float8
    FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 1)
"""


class Verdict(IntEnum):
    """How a process stands with one thing that it needs; the worst verdict is that on the whole."""

    READY = 0
    DEGRADED = 1
    """Something waits or is refused, and the rest goes on: traffic is still wanted."""
    UNREADY = 2


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing, how it stands, and what is told of it; nothing secret, no address, no error's own text."""

    name: str
    verdict: Verdict
    told: Mapping[str, object]
    """A `state` in plain words, and seconds where they say more."""
    sentence: str = ""
    """Why the process is not ready, when it is this that keeps it from being so."""


def readiness_response(checks: Sequence[Check]) -> Response:
    """Answer 200 with `ready` or `degraded`, or 503; either way with every check."""
    told = {check.name: check.told for check in checks}
    worst = max(checks, key=lambda check: check.verdict)
    if worst.verdict is Verdict.UNREADY:
        return problem_response(
            503, "unavailable", worst.sentence, members={"checks": told}, headers={"Retry-After": "2"}
        )
    return json_response(
        {"status": worst.verdict.name.lower(), "checks": told}, headers={"Cache-Control": "no-store"}
    )


def database_checks(database_url: str, *, schema: str) -> list[Check]:
    """Ask the database how old the oldest unpublished event is, which also proves that it answers."""
    try:
        with short_connection(database_url, schema=schema) as connection:
            row = connection.execute(_OLDEST_EVENT).fetchone()
    except psycopg.errors.LockNotAvailable:
        # A migration is at the table: the database answers, and nothing can be said of events for a moment.
        return [_database("answers"), _events(Verdict.READY, state="unknown")]
    except psycopg.Error as error:
        _LOG.warning("The database cannot be used", extra={"reason": type(error).__name__})
        # An answer with an SQLSTATE comes from a server: it shuts down, is full, or lacks our tables yet.
        return [_database("refuses" if error.sqlstate else "away"), _events(Verdict.READY, state="unknown")]
    return [_database("answers"), _waiting_events(row[0] if row else None)]


def _database(state: str) -> Check:
    good = state == "answers"
    return Check(
        name="database",
        verdict=Verdict.READY if good else Verdict.UNREADY,
        told={"state": state},
        sentence="" if good else "The database does not answer as it should.",
    )


def _waiting_events(oldest_seconds: float | None) -> Check:
    seconds = round(oldest_seconds or 0.0, 3)
    if seconds > _LATE_SECONDS:
        return _events(Verdict.DEGRADED, state="late", oldest_unpublished_seconds=seconds)
    return _events(Verdict.READY, state="on time", oldest_unpublished_seconds=seconds)


def _events(verdict: Verdict, **told: object) -> Check:
    return Check(name="events", verdict=verdict, told=told)


def keys_check(keys: RemoteKeys) -> Check:
    """Tell whether access tokens can be verified: without any keys nobody can be served.

    Keys that were had once, from auth or from the copy, go on verifying while auth is away; then the process
    is degraded, as a rotation would not be noticed.
    """
    age = keys.age_seconds()
    if age is None:
        sentence = "The signing keys have never been had."
        return Check(name="keys", verdict=Verdict.UNREADY, told={"state": "missing"}, sentence=sentence)
    state = "last_known_good" if keys.are_copied else "stale" if age > STALE_AFTER_SECONDS else "fresh"
    verdict = Verdict.READY if state == "fresh" else Verdict.DEGRADED
    return Check(name="keys", verdict=verdict, told={"state": state, "age_seconds": round(age, 3)})

"""Events: each is in the inbox of every service that reads it, once, and was applied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import LiteralString

from chaos.model.facts import Violation
from chaos.model.ground import Ground, broken

SERVICES: Sequence[LiteralString] = ("auth", "social", "media")
_OUTBOX: LiteralString = "SELECT event_id::text, type, aggregate_key FROM {schema}.outbox"
_INBOX: LiteralString = "SELECT event_id::text, status FROM {schema}.inbox"
_GAPS: LiteralString = """
SELECT aggregate_key, count(*) AS events, max(sequence) AS highest FROM {schema}.outbox GROUP BY 1
HAVING count(*) <> count(DISTINCT sequence) OR count(*) <> max(sequence)
"""
_DEAD: LiteralString = "SELECT event_id::text, type, last_error FROM {schema}.inbox WHERE status = 'dead'"
_PARKED: LiteralString = "SELECT reason FROM {schema}.parked_messages"
_DONE = frozenset({"applied", "stale"})
_SHOWN = 20


def events_differ(ground: Ground) -> Sequence[Violation]:
    """Hold every outbox against every inbox."""
    return [
        *broken("an event is applied once by each reader", [*_read(ground)][:_SHOWN]),
        *broken("every change is announced", [*_announced(ground)][:_SHOWN]),
        *broken("events of a key are numbered without gaps", [*_numbered(ground)][:_SHOWN]),
        *broken("nothing is dead or parked", [*_dead(ground)][:_SHOWN]),
    ]


def readers() -> Mapping[str, frozenset[str]]:
    """Return the event types that each service reads."""
    return {
        service: frozenset(import_module(f"igloo_{service}.consumers").consumers.subscriptions)
        for service in SERVICES
    }


def _read(ground: Ground) -> Iterator[str]:
    said = [row for service in SERVICES for row in ground.rows(_OUTBOX.format(schema=service))]
    for service, types in readers().items():
        stored: dict[str, list[str]] = defaultdict(list)
        for row in ground.rows(_INBOX.format(schema=service)):
            stored[row["event_id"]].append(row["status"])
        for row in said:
            found = stored.get(row["event_id"], [])
            name = f"event {row['event_id']} ({row['type']} of {row['aggregate_key']})"
            if row["type"] in types and not found:
                yield f"{name} never reached {service}"
            if len(found) > 1:
                yield f"{name} is {len(found)} times in the inbox of {service}"
            if row["type"] in types and found and not _DONE.issuperset(found):
                yield f"{name} is {found} at {service}"


def _announced(ground: Ground) -> Iterator[str]:
    """Check that each published post, and each follow, was said: without its event nobody would know."""
    for row in ground.rows("""
        SELECT p.id::text FROM social.posts AS p WHERE p.published_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM social.outbox AS o
            WHERE o.aggregate_key = 'post:' || p.id AND o.type = 'social.post.published.v1')
    """):
        yield f"post {row['id']} was never announced"
    for row in ground.rows("""
        SELECT r.from_user::text, r.to_user::text FROM social.relations AS r
        WHERE r.relation_type = 'f' AND NOT EXISTS (
            SELECT FROM social.outbox AS o WHERE o.type = 'social.relation.changed.v1'
            AND o.aggregate_key = 'relation:' || r.from_user || ':' || r.to_user || ':f')
    """):
        yield f"the follow of {row['to_user']} by {row['from_user']} was never announced"


def _numbered(ground: Ground) -> Iterator[str]:
    for service in SERVICES:
        for row in ground.rows(_GAPS.format(schema=service)):
            yield f"{row['aggregate_key']} has {row['events']} events, numbered up to {row['highest']}"


def _dead(ground: Ground) -> Iterator[str]:
    for service in SERVICES:
        for row in ground.rows(_DEAD.format(schema=service)):
            yield f"event {row['event_id']} ({row['type']}) is dead at {service}: {row['last_error']}"
        parked = Counter(str(row["reason"]) for row in ground.rows(_PARKED.format(schema=service)))
        for reason, count in parked.items():
            yield f"{count} messages are parked at {service}: {reason}"
    if letters := ground.places.dead_letters():
        yield f"{letters} messages are in the broker's queue of dead letters"

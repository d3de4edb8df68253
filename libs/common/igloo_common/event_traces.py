"""What the event tables still say of somebody who left: taken out where nobody needs it any more."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy.orm import Session

from igloo_common.statements import Statement

# That an event came stays known, with its number: it may come again, and must not be applied twice.
_EMPTY_APPLIED: Final = Statement("""
UPDATE inbox SET payload = '{}'
WHERE aggregate_key = ANY(%(keys)s) AND status IN ('applied', 'stale') AND payload <> '{}'
""")
# No index helps here, and none is worth its upkeep: a walk along two weeks of events, once for each person.
_FORGET_PUBLISHED: Final = Statement("""
DELETE FROM outbox WHERE aggregate_key = ANY(%(keys)s) AND published_at IS NOT NULL
""")


def empty_applied(session: Session, *, aggregate_keys: Collection[str]) -> int:
    """Empty what was received about some aggregates and is done with; return how many events that were.

    What is not applied yet, or waits for a decision, is not touched.
    """
    return _EMPTY_APPLIED.count(session, {"keys": list(aggregate_keys)})


def forget_published(session: Session, *, aggregate_keys: Collection[str]) -> int:
    """Delete what was published about some aggregates; return how many events that were.

    What still waits for the broker is not touched, nor is the last number of any aggregate.
    """
    return _FORGET_PUBLISHED.count(session, {"keys": list(aggregate_keys)})

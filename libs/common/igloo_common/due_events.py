"""Which stored events are to be applied next: the first of each key, and those that follow them closely."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, takewhile
from operator import attrgetter, itemgetter
from uuid import UUID

from sqlalchemy.orm import Session

from igloo_common.consumers import Subscription

BATCH = 32
_WINDOW = 256

# The head of a key is its lowest event that is not done with. Whoever applies it holds its row; others see it
# pending still and leave the rest of the key alone. A dead event keeps its key waiting until someone decides.
#
# Only a window of what is due is looked at: a hundred thousand events that wait behind one that fails would
# otherwise be walked through at every step. Where such events fill the window, they are put off.
_HEADS = f"""
WITH due AS MATERIALIZED (
    SELECT event_id, aggregate_key FROM inbox WHERE status = 'pending' AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT {_WINDOW}
), heads AS MATERIALIZED (
    SELECT head.event_id FROM (SELECT DISTINCT aggregate_key FROM due) AS waiting, LATERAL (
        SELECT event_id FROM inbox
        WHERE inbox.aggregate_key = waiting.aggregate_key AND status IN ('pending', 'dead')
        ORDER BY sequence LIMIT 1
    ) AS head
)
"""  # noqa: S608 - a number of our own
# The key is locked as well as the row: an event that came late, and goes before one that is being applied at
# this moment, has another row. Of the later events of a key as many are asked as fill a window, for all of
# a hundred thousand may be pending.
_COLUMNS = f"""
SELECT event_id, type, aggregate_key, sequence, payload, attempts,
    EXISTS (
        SELECT FROM inbox AS next WHERE next.aggregate_key = i.aggregate_key AND next.status = 'pending'
        AND next.sequence > i.sequence
    ) AS followed,
    EXISTS (
        SELECT FROM unnest(%(types)s::text[], %(supersedings)s::text[]) AS pair (type, superseding), LATERAL (
            SELECT status FROM inbox AS near WHERE near.aggregate_key = i.aggregate_key
            AND near.type = pair.superseding AND near.sequence > i.sequence
            ORDER BY near.sequence LIMIT {_WINDOW}
        ) AS later
        WHERE pair.type = i.type AND later.status = 'applied'
    ) AS stale,
"""  # noqa: S608 - a number of our own
_LOCKED_KEY = """
    pg_try_advisory_xact_lock(hashtextextended('igloo key ' || current_schema() || aggregate_key, 0)) AS ours
"""
_IS_FULL = f"(SELECT count(*) = {_WINDOW} FROM due) AS window_is_full,"  # noqa: S608 - a number of our own
_READY = "status = 'pending' AND (next_attempt_at <= now() OR attempts = 0)"
_TAKE = f"""
{_HEADS} {_COLUMNS} {_IS_FULL} {_LOCKED_KEY} FROM inbox AS i
WHERE event_id = ANY(ARRAY(SELECT event_id FROM heads)) AND {_READY}
ORDER BY next_attempt_at LIMIT {BATCH} FOR UPDATE OF i SKIP LOCKED
"""  # noqa: S608 - words of our own
_TAKE_ONE = f"""
{_COLUMNS} {_LOCKED_KEY} FROM inbox AS i
WHERE event_id = %(id)s AND {_READY} AND NOT EXISTS (
    SELECT FROM inbox AS earlier WHERE earlier.aggregate_key = i.aggregate_key
    AND earlier.status IN ('pending', 'dead') AND earlier.sequence < i.sequence
) FOR UPDATE OF i SKIP LOCKED
"""
# Read anew once the keys are ours: what another worker did to them meanwhile is seen. A run ends before what
# is dead, or failed and is not to be tried yet.
_RUNS = f"""
{_COLUMNS} {_READY} AS ours FROM inbox AS i WHERE event_id = ANY(ARRAY(
    SELECT run.event_id FROM unnest(%(keys)s::text[]) AS key, LATERAL (
        SELECT event_id FROM inbox WHERE aggregate_key = key AND status IN ('pending', 'dead')
        ORDER BY sequence LIMIT {BATCH}
    ) AS run
)) ORDER BY aggregate_key, sequence
"""  # noqa: S608 - words of our own
# For as long again as they have waited, an hour at most: so what waits for days is looked at seldom. Whoever
# applies or frees what they wait for has them looked at again at once.
_PUT_OFF = f"""
{_HEADS}
UPDATE inbox SET next_attempt_at
    = now() + least(greatest(now() - received_at, interval '5 seconds'), interval '1 hour')
WHERE (SELECT count(*) = {_WINDOW} FROM due) AND attempts = 0 AND event_id = ANY(ARRAY(
    SELECT event_id FROM due EXCEPT SELECT event_id FROM heads
))
"""  # noqa: S608 - words of our own
_WAKE_KEYS = """
UPDATE inbox SET next_attempt_at = now() WHERE event_id = ANY(ARRAY(
    SELECT next.event_id FROM unnest(%(keys)s::text[]) AS key, LATERAL (
        SELECT event_id, status, attempts FROM inbox
        WHERE aggregate_key = key AND status IN ('pending', 'dead') ORDER BY sequence LIMIT 1
    ) AS next WHERE next.status = 'pending' AND next.attempts = 0
)) AND next_attempt_at > now()
"""


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An inbox row whose key is ours until the transaction ends."""

    event_id: UUID
    type: str
    aggregate_key: str
    sequence: int
    payload: bytes
    attempts: int
    followed: bool
    stale: bool
    ours: bool
    window_is_full: bool = False
    """More is due than was looked at."""


class DueEvents:
    """Takes what is due for one service's handlers; each call is part of the caller's transaction."""

    def __init__(self, subscriptions: Mapping[str, Subscription]) -> None:
        pairs = [
            (event_type, superseding)
            for event_type, subscription in subscriptions.items()
            for superseding in sorted(subscription.superseded_by)
        ]
        self._pairs = {"types": [pair[0] for pair in pairs], "supersedings": [pair[1] for pair in pairs]}

    def take(self, session: Session) -> Sequence[StoredEvent]:
        """Take a batch: heads of keys, and what follows them as long as there is room."""
        heads = self._read(session, _TAKE)
        followed = [head.aggregate_key for head in heads if head.followed]
        if not followed:
            return heads
        runs = self._runs(session, followed)
        alone = [head for head in heads if not head.followed]
        events = [*alone, *runs[: BATCH - len(alone)]]
        return [replace(events[0], window_is_full=heads[0].window_is_full), *events[1:]] if events else []

    def take_one(self, session: Session, event_id: UUID) -> Sequence[StoredEvent]:
        """Take one event, if it is the head of its key and nobody else's."""
        return self._read(session, _TAKE_ONE, id=event_id)

    def _runs(self, session: Session, keys: Collection[str]) -> Sequence[StoredEvent]:
        rows = session.connection().exec_driver_sql(_RUNS, {**self._pairs, "keys": list(keys)}).mappings()
        read = (StoredEvent(**row) for row in rows)
        placed = [
            (place, event)
            for _, run in groupby(read, attrgetter("aggregate_key"))
            for place, event in enumerate(takewhile(attrgetter("ours"), run))
        ]
        # Every key has its first event taken before any has its second.
        return [event for _, event in sorted(placed, key=itemgetter(0))]

    def _read(self, session: Session, query: str, **parameters: object) -> Sequence[StoredEvent]:
        rows = session.connection().exec_driver_sql(query, {**self._pairs, **parameters}).mappings()
        return [event for event in (StoredEvent(**row) for row in rows) if event.ours]


def put_off_blocked(session: Session) -> bool:
    """Put off what waits behind other events, if all of the window is full; True when there may be more."""
    return session.connection().exec_driver_sql(_PUT_OFF).rowcount > 0


def wake_keys(session: Session, keys: Collection[str]) -> None:
    """Have the next event of each key looked at, though it was put off."""
    session.connection().exec_driver_sql(_WAKE_KEYS, {"keys": list(keys)})

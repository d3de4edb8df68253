"""Setting apart what stands between a suspended person and others, and putting it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_social.events import RelationChanged
from igloo_social.models.notifications import NotificationKind
from igloo_social.operations import notifications
from igloo_social.operations.counts import recount_people
from igloo_social.operations.feed_changes import note_author

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

PEOPLE_AT_ONCE = 200


class Standing(NamedTuple):
    """How a living person stands."""

    is_suspended: bool
    is_private: bool


def lock_standings(session: Session, user_ids: Sequence[UUID]) -> Mapping[UUID, Standing]:
    """Lock the living among these people, in the order of their ids, and tell how they stand."""
    rows = _LOCK.rows(session, {"user_ids": list(user_ids)})
    return {user_id: Standing(*standing) for user_id, *standing in rows}


def set_relations_apart(session: Session, account_id: UUID, now: datetime) -> bool:
    """Set follows and requests between the person and some others apart; False when there are none.

    Both ends' counts are made anew. Entries of feeds stay, for they are filtered at reading; phones that keep
    a feed are told to look at the author again. Edges with the deleted are their erasure's.
    """
    between = {"account_id": account_id, "limit": PEOPLE_AT_ONCE}
    others = [user_id for (user_id,) in PEOPLE_AROUND.rows(session, between)]
    if not others:
        return False
    standings = lock_standings(session, [account_id, *others])
    if account_id in standings and standings[account_id].is_suspended:
        moved = {"account_id": account_id, "others": sorted(standings.keys() - {account_id})}
        followers = [user_id for (user_id,) in SET_APART.rows(session, moved)]
        note_author(session, followers, author_id=account_id, now=now)
        recount_people(session, sorted(standings))
    return True


def put_relations_back(session: Session, account_id: UUID, now: datetime) -> bool:
    """Put follows and requests between the person and some others back; False when there are none.

    Save with the deleted, and where a block stands: these are gone for good. What leads to somebody who is
    suspended in turn stays apart for them. A request to an account that went public meanwhile is a follow
    now, as all others became then; who began anew to follow meanwhile keeps that.
    """
    between = {"account_id": account_id, "limit": PEOPLE_AT_ONCE}
    others = [user_id for (user_id,) in PEOPLE_APART.rows(session, between)]
    if not others:
        return False
    standings = lock_standings(session, [account_id, *others])
    if account_id not in standings or standings[account_id].is_suspended:
        return True
    suspended = {user_id for user_id, standing in standings.items() if standing.is_suspended}
    ready = {"account_id": account_id, "others": sorted(set(others) - suspended)}
    edges = sorted(TAKE_BACK.rows(session, ready))
    _insert(session, edges, standings, now)
    recount_people(session, sorted(standings))
    return True


def _insert(
    session: Session,
    edges: Sequence[tuple[UUID, UUID, str, datetime]],
    standings: Mapping[UUID, Standing],
    now: datetime,
) -> None:
    follows: list[tuple[UUID, UUID, datetime]] = []
    requests: list[tuple[UUID, UUID, datetime]] = []
    for from_user, to_user, kind, since in edges:
        if {from_user, to_user} <= standings.keys():
            is_follow = kind == "f" or not standings[to_user].is_private
            (follows if is_follow else requests).append((from_user, to_user, since))
    for from_user, to_user in _insert_all(session, FOLLOW_AGAIN, follows):
        event = RelationChanged(
            from_user_id=from_user, to_user_id=to_user, relation_type="f", change="created", changed_at=now
        )
        emit(session, event, now=now)
    _insert_all(session, REQUEST_AGAIN, requests)
    _forget_requests(session, follows)


def _insert_all(
    session: Session, statement: Statement, edges: Sequence[tuple[UUID, UUID, datetime]]
) -> Sequence[tuple[UUID, UUID]]:
    columns = dict(
        zip(("from_users", "to_users", "times"), map(list, zip(*edges, strict=True)), strict=False)
    )
    return sorted((row[0], row[1]) for row in statement.rows(session, columns)) if edges else []


def _forget_requests(session: Session, follows: Sequence[tuple[UUID, UUID, datetime]]) -> None:
    """Remove the requests of people who asked anew, before the follow that they had was put back."""
    if not follows:
        return
    pairs = {"from_users": [edge[0] for edge in follows], "to_users": [edge[1] for edge in follows]}
    for from_user, to_user in sorted(FORGET_REQUESTS.rows(session, pairs)):
        notifications.withdraw(
            session,
            recipient_id=to_user,
            kind=NotificationKind.FOLLOW_REQUEST,
            actor_id=from_user,
            object_id=None,
        )


_LOCK = Statement("""
SELECT user_id, suspended_at IS NOT NULL, is_private FROM profiles
WHERE user_id = ANY(%(user_ids)s) AND deleted_at IS NULL
ORDER BY user_id FOR NO KEY UPDATE
""")
PEOPLE_AROUND = Statement("""
(SELECT from_user FROM relations JOIN profiles ON user_id = from_user AND deleted_at IS NULL
 WHERE to_user = %(account_id)s AND relation_type IN ('f', 'r') LIMIT %(limit)s)
UNION
(SELECT to_user FROM relations JOIN profiles ON user_id = to_user AND deleted_at IS NULL
 WHERE from_user = %(account_id)s AND relation_type IN ('f', 'r') LIMIT %(limit)s)
""")
PEOPLE_APART = Statement("""
(SELECT from_user FROM suspended_relations JOIN profiles ON user_id = from_user AND suspended_at IS NULL
 WHERE to_user = %(account_id)s LIMIT %(limit)s)
UNION
(SELECT to_user FROM suspended_relations JOIN profiles ON user_id = to_user AND suspended_at IS NULL
 WHERE from_user = %(account_id)s LIMIT %(limit)s)
""")
SET_APART = Statement("""
WITH moved AS (
    DELETE FROM relations WHERE relation_type IN ('f', 'r') AND (
        (to_user = %(account_id)s AND from_user = ANY(%(others)s))
        OR (from_user = %(account_id)s AND to_user = ANY(%(others)s))
    ) RETURNING from_user, to_user, relation_type, created_at
), apart AS (
    INSERT INTO suspended_relations (from_user, to_user, relation_type, created_at)
    SELECT from_user, to_user, relation_type, created_at FROM moved
    ON CONFLICT DO NOTHING
)
SELECT from_user FROM moved WHERE relation_type = 'f' AND to_user = %(account_id)s
""")
# Blocked pairs are taken out of the table as all others, and not returned.
TAKE_BACK = Statement("""
WITH taken AS (
    DELETE FROM suspended_relations
    WHERE (to_user = %(account_id)s AND from_user = ANY(%(others)s))
        OR (from_user = %(account_id)s AND to_user = ANY(%(others)s))
    RETURNING from_user, to_user, relation_type, created_at
)
SELECT from_user, to_user, relation_type, created_at FROM taken
WHERE NOT EXISTS (
    SELECT FROM relations AS block WHERE block.relation_type = 'b'
        AND block.from_user = taken.from_user AND block.to_user = taken.to_user
) AND NOT EXISTS (
    SELECT FROM relations AS block WHERE block.relation_type = 'b'
        AND block.from_user = taken.to_user AND block.to_user = taken.from_user
)
""")
_EDGES = """
unnest(%(from_users)s::uuid[], %(to_users)s::uuid[], %(times)s::timestamptz[])
    AS edge(from_user, to_user, created_at)
"""
FOLLOW_AGAIN = Statement(f"""
INSERT INTO relations (from_user, to_user, relation_type, created_at, is_merged)
SELECT edge.from_user, edge.to_user, 'f', edge.created_at, merged_at_read
FROM {_EDGES} JOIN profiles ON user_id = edge.to_user
ON CONFLICT DO NOTHING RETURNING from_user, to_user
""")  # noqa: S608 - words of our own
REQUEST_AGAIN = Statement(f"""
INSERT INTO relations (from_user, to_user, relation_type, created_at)
SELECT edge.from_user, edge.to_user, 'r', edge.created_at FROM {_EDGES}
WHERE NOT EXISTS (
    SELECT FROM relations AS follow WHERE follow.relation_type = 'f'
        AND follow.from_user = edge.from_user AND follow.to_user = edge.to_user
)
ON CONFLICT DO NOTHING RETURNING from_user, to_user
""")  # noqa: S608 - words of our own
FORGET_REQUESTS = Statement("""
DELETE FROM relations USING unnest(%(from_users)s::uuid[], %(to_users)s::uuid[]) AS edge(a, b)
WHERE from_user = edge.a AND to_user = edge.b AND relation_type = 'r'
RETURNING from_user, to_user
""")

"""Who are friends at Facebook and both here, as the latest look-up of either of the two said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from igloo_common.statements import Statement
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.profiles import meet_living

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


def replace_friends(
    session: Session, *, account_id: UUID, friend_ids: Collection[UUID], found_at: datetime, now: datetime
) -> None:
    """Make a person's Facebook friends these, both ways; an older list than the last one changes nothing.

    Where a friend was looked up later than this person, that look-up decides about the two.
    """
    friends = set(friend_ids) - {account_id}
    living = meet_living(session, {account_id, *friends}, now=now)
    if account_id not in living or not _is_news(session, account_id, found_at):
        return
    said = {"account_id": account_id, "found_at": found_at, "friends": sorted(friends & living)}
    _REMOVE.run(session, said)
    _ADD.run(session, said)
    session.execute(
        update(PROFILES).where(PROFILES.c.user_id == account_id).values(friends_found_at=found_at)
    )


def _is_news(session: Session, account_id: UUID, found_at: datetime) -> bool:
    statement = select(PROFILES.c.friends_found_at).where(PROFILES.c.user_id == account_id)
    known_at = session.scalar(statement)
    return known_at is None or known_at < found_at


_REMOVE = Statement("""
WITH gone AS (
    SELECT friend_id FROM facebook_friends JOIN profiles ON profiles.user_id = friend_id
    WHERE facebook_friends.user_id = %(account_id)s AND friend_id <> ALL(%(friends)s::uuid[])
        AND (friends_found_at IS NULL OR friends_found_at <= %(found_at)s)
), directions AS (
    SELECT %(account_id)s::uuid AS one, friend_id AS other FROM gone
    UNION ALL
    SELECT friend_id, %(account_id)s::uuid FROM gone
)
DELETE FROM facebook_friends USING directions WHERE user_id = one AND friend_id = other
""")
# A friend of a later look-up who does not have this person any more is not added: those who do are there.
_ADD = Statement("""
WITH found AS (
    SELECT user_id AS friend_id FROM profiles
    WHERE user_id = ANY(%(friends)s::uuid[])
        AND (friends_found_at IS NULL OR friends_found_at <= %(found_at)s)
)
INSERT INTO facebook_friends (user_id, friend_id, found_at)
SELECT %(account_id)s::uuid, friend_id, %(found_at)s::timestamptz FROM found
UNION ALL
SELECT friend_id, %(account_id)s::uuid, %(found_at)s::timestamptz FROM found
ON CONFLICT DO NOTHING
""")

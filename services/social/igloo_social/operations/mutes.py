"""Muting people, for good or for a while: the muted never learn of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.models.relations import RelationType
from igloo_social.operations.relations import add_edge, lock_pair, lock_people, remove_edges

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy.orm import Session

    from igloo_social.models.relations import Relationship


def mute_account(
    session: Session, *, actor_id: UUID, muted_id: UUID, duration: timedelta | None, now: datetime
) -> Relationship:
    """Mute a person for so long, or for good; done already, only its end changes.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=muted_id)
    if not pair.relationship.muting:
        # One whose time is up may still stand there: it ends, and is told to have, before the next begins.
        _remove(session, actor_id, muted_id, now)
        add_edge(session, from_user=actor_id, to_user=muted_id, relation_type=RelationType.MUTE, now=now)
    until = None if duration is None else now + duration
    _SET_END.run(session, {"near": actor_id, "far": muted_id, "until": until})
    return replace(pair.relationship, muting=True, muting_until=until)


def unmute_account(session: Session, *, actor_id: UUID, muted_id: UUID, now: datetime) -> Relationship:
    """No longer mute a person; nobody muted, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=muted_id)
    _remove(session, actor_id, muted_id, now)
    return replace(pair.relationship, muting=False, muting_until=None)


def end_expired_mutes(session: Session, *, now: datetime, limit: int) -> int:
    """Remove some of the mutes whose time is up, and return how many it looked at: `limit`, if more may wait.

    They count for nothing already: this is for whoever hears of changes alone, and for the room they take.
    """
    expired = set(_EXPIRED.rows(session, {"now": now, "limit": limit}))
    lock_people(session, {user_id for edge in expired for user_id in edge})
    # Anew, under the locks: people mute again, and for longer.
    for from_user, to_user in _EXPIRED.rows(session, {"now": now, "limit": limit}):
        if (from_user, to_user) in expired:
            _remove(session, from_user, to_user, now)
    return len(expired)


def _remove(session: Session, actor_id: UUID, muted_id: UUID, now: datetime) -> None:
    kinds = (RelationType.MUTE,)
    remove_edges(session, from_user=actor_id, to_user=muted_id, relation_types=kinds, now=now)


_SET_END = Statement("""
UPDATE relations SET expires_at = %(until)s
WHERE from_user = %(near)s AND to_user = %(far)s AND relation_type = 'm'
    AND expires_at IS DISTINCT FROM %(until)s
""")
# The edges of the deleted are left to the erasure of their account.
_EXPIRED = Statement("""
SELECT from_user, to_user FROM relations
JOIN profiles near ON near.user_id = from_user AND near.deleted_at IS NULL
JOIN profiles far ON far.user_id = to_user AND far.deleted_at IS NULL
WHERE expires_at <= %(now)s
ORDER BY expires_at, from_user, to_user LIMIT %(limit)s
""")

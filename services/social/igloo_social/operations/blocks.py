"""Blocking people: one transaction after which neither finds a trace of the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from igloo_common.statements import Statement
from igloo_social.models.relations import Relationship, RelationType
from igloo_social.operations import comments, feed_changes, likes, notifications, timeline
from igloo_social.operations.relations import add_edge, lock_pair, remove_edges

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

_FOLLOW_KINDS = (RelationType.FOLLOW, RelationType.REQUEST)


def block_account(session: Session, *, actor_id: UUID, blocked_id: UUID, now: datetime) -> Relationship:
    """Block a person: follows, requests, notifications, feed entries, likes and comments between the two go.

    Done already, it changes nothing.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=blocked_id)
    if pair.relationship.blocking:
        return pair.relationship
    for from_user, to_user in ((actor_id, blocked_id), (blocked_id, actor_id)):
        remove_edges(session, from_user=from_user, to_user=to_user, relation_types=_FOLLOW_KINDS, now=now)
    add_edge(session, from_user=actor_id, to_user=blocked_id, relation_type=RelationType.BLOCK, now=now)
    for owner_id, author_id in ((actor_id, blocked_id), (blocked_id, actor_id)):
        feed_changes.note_author(session, [owner_id], author_id=author_id, now=now)
    _remove_traces(session, actor_id, blocked_id, now)
    before = pair.relationship
    return Relationship(blocking=True, muting=before.muting, muting_until=before.muting_until)


def unblock_account(session: Session, *, actor_id: UUID, blocked_id: UUID, now: datetime) -> Relationship:
    """No longer block a person; nothing that the block removed comes back.

    Raises:
        SelfRelation, UserNotFound: See `lock_pair`.
    """
    pair = lock_pair(session, actor_id=actor_id, other_id=blocked_id)
    if pair.relationship.blocking:
        remove_edges(
            session,
            from_user=actor_id,
            to_user=blocked_id,
            relation_types=(RelationType.BLOCK,),
            now=now,
        )
    return replace(pair.relationship, blocking=False)


def _remove_traces(session: Session, a: UUID, b: UUID, now: datetime) -> None:
    """Take each out of what the other sees, in the block's own transaction: no event may come too late.

    Whatever they do to each other's posts waits for the two people's locks, and then sees the block.
    """
    timeline.remove_between(session, a, b, now=now)
    # In one order for likes and comments together, as everybody takes posts who takes several.
    _LOCK_POSTS_BETWEEN.rows(session, {"a": a, "b": b})
    likes.remove_between(session, a, b)
    comment_ids = comments.remove_between(session, a, b, now=now)
    notifications.remove_between(session, a, b, comment_ids=comment_ids)


def _touched(table: str, person: str, *, by: str, of: str) -> str:
    return f"""
    SELECT post_id FROM {table} JOIN posts touched ON touched.id = post_id
    WHERE {table}.{person} = %({by})s AND touched.author_id = %({of})s
    """  # noqa: S608 - words of our own


_LOCK_POSTS_BETWEEN = Statement(
    f"""
SELECT id FROM posts WHERE id IN (
    {_touched("likes", "user_id", by="a", of="b")} UNION {_touched("likes", "user_id", by="b", of="a")}
    UNION {_touched("comments", "author_id", by="a", of="b")}
    UNION {_touched("comments", "author_id", by="b", of="a")}
) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - as above
)

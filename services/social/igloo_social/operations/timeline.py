"""Writes to the materialised feeds: fan-out, backfill and removal, each of which may run late or twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, literal, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert

from igloo_social.models.posts import POSTS, PostState, Visibility
from igloo_social.models.relations import RELATIONS, RelationType
from igloo_social.models.timeline import TIMELINE
from igloo_social.operations.locks import lock_audience, share_audience

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

BATCH_SIZE = 5_000
"""Followers written to in one statement, well within the statement timeout."""

BACKFILL_SIZE = 100
"""How many of an author's newest posts a new follower's feed starts with."""

_COLUMNS = ("owner_id", "published_at", "post_id", "author_id")

_BLOCK = RELATIONS.alias("block")
_IS_BLOCK = _BLOCK.c.relation_type == RelationType.BLOCK.value

# What followers may be shown at all; the rest of the rules is applied at reading, when it is known who looks.
_FANNED_OUT = and_(
    POSTS.c.state == PostState.PUBLISHED.value,
    POSTS.c.deleted_at.is_(None),
    POSTS.c.visibility != Visibility.PRIVATE.value,
)


def remove_own_post(session: Session, *, author_id: UUID, post_id: UUID, published_at: datetime) -> None:
    """Take a post out of its author's own feed, in the transaction that deletes it."""
    session.execute(
        delete(TIMELINE).where(
            TIMELINE.c.owner_id == author_id,
            TIMELINE.c.published_at == published_at,
            TIMELINE.c.post_id == post_id,
        )
    )


def fan_out(session: Session, *, post_id: UUID, author_id: UUID) -> None:
    """Put a post into the feeds of the author's followers, if it still is one to be shown.

    Holds the author's audience: someone who leaves meanwhile waits, and then removes what was written here.
    """
    share_audience(session, author_id)
    for followers in _follower_ranges(session, author_id):
        _fan_out_to(session, followers, post_id)


def backfill(session: Session, *, follower_id: UUID, author_id: UUID) -> None:
    """Put an author's newest posts into a follower's feed, if the follow still stands."""
    share_audience(session, author_id)
    newest = (
        select(literal(follower_id), POSTS.c.published_at, POSTS.c.id, POSTS.c.author_id)
        .where(
            POSTS.c.author_id == author_id,
            _FANNED_OUT,
            _justified(follower_id, author_id),
        )
        .order_by(POSTS.c.created_at.desc(), POSTS.c.id.desc())
        .limit(BACKFILL_SIZE)
    )
    session.execute(upsert(TIMELINE).from_select(_COLUMNS, newest).on_conflict_do_nothing())


def converge(session: Session, *, follower_id: UUID, author_id: UUID) -> None:
    """Make a follower's feed agree with the relation as it is now, whatever the event said."""
    # Unlocked on purpose: either branch looks again under its own lock, and another event follows a change.
    if session.scalar(select(_justified(follower_id, author_id))):
        backfill(session, follower_id=follower_id, author_id=author_id)
    else:
        remove_between(session, follower_id, author_id)


def remove_between(session: Session, a: UUID, b: UUID) -> None:
    """Take the posts of each out of the other's feed, save where a follow stands that no block forbids.

    Call it after the relation rows have changed, in the same transaction.
    """
    lock_audience(session, (a, b))
    for owner_id, author_id in ((a, b), (b, a)):
        session.execute(
            delete(TIMELINE).where(
                TIMELINE.c.owner_id == owner_id,
                TIMELINE.c.author_id == author_id,
                ~_justified(owner_id, author_id),
            )
        )


def remove_post(session: Session, *, post_id: UUID, author_id: UUID) -> None:
    """Take a deleted post out of the feeds of the author's followers.

    Through the followers, for the table has no index by post. A row that stays in the feed of a former
    follower is filtered at reading.
    """
    post = (
        select(POSTS.c.published_at)
        .where(POSTS.c.id == post_id, POSTS.c.deleted_at.is_not(None))
        .scalar_subquery()
    )
    owners = select(RELATIONS.c.from_user).where(
        RELATIONS.c.to_user == author_id, RELATIONS.c.relation_type == RelationType.FOLLOW.value
    )
    session.execute(
        delete(TIMELINE).where(
            TIMELINE.c.owner_id.in_(owners),
            TIMELINE.c.published_at == post,
            TIMELINE.c.post_id == post_id,
        )
    )


_POSITION = tuple_(RELATIONS.c.created_at, RELATIONS.c.from_user)


def _follower_ranges(session: Session, author_id: UUID) -> Iterator[ColumnElement[bool]]:
    """Cut the followers, in the order of the index that lists them, into ranges of bounded size."""
    followers = and_(RELATIONS.c.to_user == author_id, RELATIONS.c.relation_type == RelationType.FOLLOW.value)
    ends = (
        select(RELATIONS.c.created_at, RELATIONS.c.from_user)
        .where(followers)
        .order_by(RELATIONS.c.created_at, RELATIONS.c.from_user)
        .offset(BATCH_SIZE - 1)
        .limit(1)
    )
    after: ColumnElement[bool] = true()
    while end := session.execute(ends.where(after)).one_or_none():
        last = tuple_(*(literal(part) for part in end))
        yield and_(followers, after, last >= _POSITION)
        after = last < _POSITION
    yield and_(followers, after)


def _fan_out_to(session: Session, followers: ColumnElement[bool], post_id: UUID) -> None:
    blocking = select(_BLOCK.c.from_user).where(_BLOCK.c.to_user == POSTS.c.author_id, _IS_BLOCK)
    blocked = select(_BLOCK.c.to_user).where(_BLOCK.c.from_user == POSTS.c.author_id, _IS_BLOCK)
    entries = select(RELATIONS.c.from_user, POSTS.c.published_at, POSTS.c.id, POSTS.c.author_id).where(
        POSTS.c.id == post_id,
        POSTS.c.author_id == RELATIONS.c.to_user,
        _FANNED_OUT,
        followers,
        RELATIONS.c.from_user.not_in(blocking),
        RELATIONS.c.from_user.not_in(blocked),
    )
    session.execute(upsert(TIMELINE).from_select(_COLUMNS, entries).on_conflict_do_nothing())


def _justified(owner_id: UUID, author_id: UUID) -> ColumnElement[bool]:
    """Hold while the owner follows the author and neither blocks the other."""
    follows = exists().where(
        RELATIONS.c.from_user == owner_id,
        RELATIONS.c.relation_type == RelationType.FOLLOW.value,
        RELATIONS.c.to_user == author_id,
    )
    blocks = exists().where(
        _IS_BLOCK,
        or_(
            and_(_BLOCK.c.from_user == owner_id, _BLOCK.c.to_user == author_id),
            and_(_BLOCK.c.from_user == author_id, _BLOCK.c.to_user == owner_id),
        ),
    )
    return and_(follows, ~blocks)

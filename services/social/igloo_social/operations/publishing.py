"""How a post comes out, or fails so that its author sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_social.events import PostPublished
from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.posts import POST_IMAGES, POSTS, PostState
from igloo_social.operations import notifications

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

STRANDED_BATCH = 100


def publish_post(
    session: Session, *, post_id: UUID, author_id: UUID, media_ids: Sequence[UUID], now: datetime
) -> None:
    """Bring out a post all of whose images are there. Needs the author's and the post's lock."""
    session.execute(
        update(POSTS).where(POSTS.c.id == post_id).values(state=PostState.PUBLISHED.value, published_at=now)
    )
    announce_post(session, post_id=post_id, author_id=author_id, media_ids=media_ids, published_at=now)


def announce_post(
    session: Session, *, post_id: UUID, author_id: UUID, media_ids: Sequence[UUID], published_at: datetime
) -> None:
    """Show a post that has just come out to its author, count it, and let the world know."""
    _SHOW_AND_COUNT.run(session, {"author_id": author_id, "post_id": post_id, "published_at": published_at})
    emit_published(
        session,
        post_id=post_id,
        author_id=author_id,
        media_ids=media_ids,
        published_at=published_at,
        now=published_at,
    )


def emit_published(
    session: Session,
    *,
    post_id: UUID,
    author_id: UUID,
    media_ids: Sequence[UUID],
    published_at: datetime,
    now: datetime,
) -> None:
    """Let the world know that a post is out, or is out to more people than before."""
    event = PostPublished(
        post_id=post_id, author_id=author_id, media_ids=tuple(media_ids), published_at=published_at
    )
    emit(session, event, now=now)


def count_posts(session: Session, author_id: UUID, change: int) -> None:
    """Bring the author's number of published posts up to date.

    Not below nothing: a count that had drifted must not keep anybody from deleting a post.
    """
    _COUNT.run(session, {"author_id": author_id, "change": change})


_COUNT = Statement("""
UPDATE profiles SET post_count = greatest(post_count + %(change)s::integer, 0)
WHERE user_id = %(author_id)s
""")
# Into the author's own feed in the transaction that publishes it: they see it at once.
_SHOW_AND_COUNT = Statement("""
WITH entry AS (
    INSERT INTO timeline (owner_id, published_at, post_id, author_id)
    VALUES (%(author_id)s, %(published_at)s, %(post_id)s, %(author_id)s)
)
UPDATE profiles SET post_count = greatest(post_count + 1, 0) WHERE user_id = %(author_id)s
""")


def fail_post(
    session: Session, *, post_id: UUID, author_id: UUID, code: str, detail: str, now: datetime
) -> None:
    """End a post that cannot come out, set its good images free for another, and tell its author why.

    Needs the post's lock.
    """
    session.execute(
        update(POSTS)
        .where(POSTS.c.id == post_id)
        .values(state=PostState.FAILED.value, failure_code=code, failure_detail=detail)
    )
    wished = select(POST_IMAGES.c.media_id).where(POST_IMAGES.c.post_id == post_id)
    session.execute(
        update(MEDIA_ITEMS)
        .where(MEDIA_ITEMS.c.media_id.in_(wished), MEDIA_ITEMS.c.post_id == post_id)
        .values(post_id=None)
    )
    notifications.notify(
        session,
        recipient_id=author_id,
        kind=NotificationKind.POST_FAILED,
        actor_id=None,
        object_id=post_id,
        post_id=post_id,
        now=now,
    )


def fail_stranded_posts(session: Session, *, created_before: datetime, now: datetime) -> int:
    """Fail posts whose media never came; return how many, at most one batch.

    A post that somebody else holds just now is not stranded, and is left for the next round.
    """
    stranded = session.execute(
        select(POSTS.c.id, POSTS.c.author_id)
        .where(
            POSTS.c.state == PostState.PROCESSING.value,
            POSTS.c.deleted_at.is_(None),
            POSTS.c.created_at < created_before,
        )
        .order_by(POSTS.c.created_at)
        .limit(STRANDED_BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for post_id, author_id in stranded:
        fail_post(
            session,
            post_id=post_id,
            author_id=author_id,
            code="media_missing",
            detail="Not all of the images arrived in time.",
            now=now,
        )
    return len(stranded)

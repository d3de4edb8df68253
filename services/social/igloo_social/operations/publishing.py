"""How a post comes out, goes out of sight and comes back, or fails so that its author sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_social.events import PostChanged, PostHidden, PostPublished, PostRestored
from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.posts import POST_IMAGES, POSTS, PostState
from igloo_social.operations import feed_changes, notifications
from igloo_social.operations.mentions import tell_mentioned_in_post
from igloo_social.operations.post_counts import count_change
from igloo_social.operations.ranks import ranked
from igloo_social.operations.tags import agree_tags
from igloo_social.operations.timeline import remove_own_post
from igloo_social.policies.posts import counted
from igloo_social.queries.images import attached_media_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

STRANDED_BATCH = 100


def publish_post(
    session: Session, *, post_id: UUID, author_id: UUID, media_ids: Sequence[UUID], now: datetime
) -> None:
    """Bring out a post all of whose images are there. Needs the author's and the post's lock."""
    out = _move(session, post_id, PostState.PROCESSING, PostState.PUBLISHED, now)
    if out is None:
        return
    show_to_author(session, post_id=post_id, author_id=author_id, published_at=now)
    _count_move(session, author_id, out, PostState.PROCESSING, PostState.PUBLISHED)
    emit_published(
        session, post_id=post_id, author_id=author_id, media_ids=media_ids, published_at=now, now=now
    )
    _list_and_tell(session, post_id, author_id, out, now)


def hide_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> bool:
    """Take a post that is out from everybody's sight but its author's; False when there is none to take.

    Needs the author's and the post's lock.
    """
    hidden = _move(session, post_id, PostState.PUBLISHED, PostState.HIDDEN, now)
    if hidden is None:
        return False
    _count_move(session, author_id, hidden, PostState.PUBLISHED, PostState.HIDDEN)
    if hidden.tags:
        agree_tags(session, post_id)
    images = tuple(attached_media_ids(session, post_id))
    emit(session, PostHidden(post_id=post_id, author_id=author_id, media_ids=images, hidden_at=now), now=now)
    emit_changed(session, post_id=post_id, author_id=author_id, now=now)
    return True


def restore_post(session: Session, *, post_id: UUID, author_id: UUID, now: datetime) -> bool:
    """Show a hidden post again; False when it is not hidden, or deleted. Needs both locks, likewise.

    It is announced again, for who came to follow its author meanwhile does not have it.
    """
    out = _move(session, post_id, PostState.HIDDEN, PostState.PUBLISHED, now)
    if out is None:
        return False
    _count_move(session, author_id, out, PostState.HIDDEN, PostState.PUBLISHED)
    images = tuple(attached_media_ids(session, post_id))
    restored = PostRestored(post_id=post_id, author_id=author_id, media_ids=images, restored_at=now)
    emit(session, restored, now=now)
    emit_published(
        session,
        post_id=post_id,
        author_id=author_id,
        media_ids=images,
        published_at=out.published_at,
        now=now,
    )
    emit_changed(session, post_id=post_id, author_id=author_id, now=now)
    _list_and_tell(session, post_id, author_id, out, now)
    return True


def show_to_author(session: Session, *, post_id: UUID, author_id: UUID, published_at: datetime) -> None:
    """Put a post that has just come out into its author's own feed at once."""
    _SHOW.run(session, {"author_id": author_id, "post_id": post_id, "published_at": published_at})


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


def emit_changed(
    session: Session, *, post_id: UUID, author_id: UUID, now: datetime, is_for_others: bool = True
) -> None:
    """Let the world know that readers see a post differently, or not any more.

    Of a post that is, and was, the author's alone, the author's own phones are told and nobody else.
    """
    feed_changes.note_post(
        session, post_id=post_id, author_id=author_id, now=now, is_for_others=is_for_others
    )
    if is_for_others:
        emit(session, PostChanged(post_id=post_id, author_id=author_id, changed_at=now), now=now)


def fail_post(
    session: Session, *, post_id: UUID, author_id: UUID, code: str, detail: str, now: datetime
) -> None:
    """End a post that cannot come out, set its good images free for another, and tell its author why.

    Needs the post's lock. The author's counts stay: they go on seeing it.
    """
    session.execute(
        update(POSTS)
        .where(POSTS.c.id == post_id)
        .values(
            state=PostState.FAILED.value,
            failure_code=code,
            failure_detail=detail,
            published_at=None,
            rank_at=None,
        )
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


def take_back_post(session: Session, post: Row[Any], *, code: str, detail: str, now: datetime) -> None:
    """Fail a post that is out and has nothing left to show. Needs the author's and the post's lock."""
    fail_post(session, post_id=post.id, author_id=post.author_id, code=code, detail=detail, now=now)
    remove_own_post(session, author_id=post.author_id, post_id=post.id, published_at=post.published_at)
    count_change(
        session,
        post.author_id,
        before=counted(post.state, post.visibility),
        after=counted(PostState.FAILED, post.visibility),
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


class _Moved(NamedTuple):
    """What is to be known of a post whose state has changed."""

    visibility: str
    tags: Sequence[str]
    mention_count: int
    published_at: datetime


def _move(
    session: Session, post_id: UUID, before: PostState, after: PostState, now: datetime
) -> _Moved | None:
    row = _MOVE.row(session, {"post_id": post_id, "before": before.value, "after": after.value, "now": now})
    return None if row is None else _Moved(*row)


def _count_move(
    session: Session, author_id: UUID, moved: _Moved, before: PostState, after: PostState
) -> None:
    count_change(
        session,
        author_id,
        before=counted(before, moved.visibility),
        after=counted(after, moved.visibility),
    )


def _list_and_tell(session: Session, post_id: UUID, author_id: UUID, out: _Moved, now: datetime) -> None:
    if out.tags:
        agree_tags(session, post_id)
    if out.mention_count:
        tell_mentioned_in_post(session, post_id=post_id, author_id=author_id, now=now)


_MOVE = Statement(f"""
WITH moved AS (
    SELECT id, coalesce(published_at, %(now)s) AS since FROM posts
    WHERE id = %(post_id)s AND state = %(before)s AND deleted_at IS NULL
)
UPDATE posts SET state = %(after)s, published_at = since,
    rank_at = {ranked(since="since")}
FROM moved WHERE posts.id = moved.id
RETURNING visibility, tags, mention_count, published_at
""")  # noqa: S608 - words of our own
# Into the author's own feed in the transaction that publishes it: they see it at once.
_SHOW = Statement("""
INSERT INTO timeline (owner_id, published_at, post_id, author_id)
VALUES (%(author_id)s, %(published_at)s, %(post_id)s, %(author_id)s)
""")

"""Reads of media, and of the posts that show or wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.models.posts import POST_IMAGES, POSTS, PostState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import Row

    from igloo_common.database import Reader

_SHOWN = (
    MEDIA_ITEMS.c.width,
    MEDIA_ITEMS.c.height,
    MEDIA_ITEMS.c.blurhash,
    MEDIA_ITEMS.c.dominant_color,
    MEDIA_ITEMS.c.alt_text,
    MEDIA_ITEMS.c.focal_x,
    MEDIA_ITEMS.c.focal_y,
    MEDIA_ITEMS.c.renditions,
)


def media_by_id(reader: Reader, media_ids: Sequence[UUID]) -> Mapping[UUID, Row[Any]]:
    """Read those of the media that have been heard of."""
    rows = reader.execute(
        select(
            MEDIA_ITEMS.c.media_id,
            MEDIA_ITEMS.c.owner_id,
            MEDIA_ITEMS.c.post_id,
            MEDIA_ITEMS.c.state,
            MEDIA_ITEMS.c.failure_code,
            *_SHOWN,
        ).where(MEDIA_ITEMS.c.media_id.in_(media_ids))
    )
    return {row.media_id: row for row in rows}


def media_of_post(reader: Reader, post_id: UUID) -> Sequence[Row[Any]]:
    """Read a post's images in order; what is known of a medium shows only once the post has it."""
    return reader.execute(
        select(POST_IMAGES.c.media_id, MEDIA_ITEMS.c.media_id.is_not(None).label("is_attached"), *_SHOWN)
        .outerjoin(
            MEDIA_ITEMS,
            and_(
                MEDIA_ITEMS.c.media_id == POST_IMAGES.c.media_id,
                MEDIA_ITEMS.c.post_id == POST_IMAGES.c.post_id,
            ),
        )
        .where(POST_IMAGES.c.post_id == post_id)
        .order_by(POST_IMAGES.c.position)
    ).all()


def attached_media_ids(reader: Reader, post_id: UUID) -> Sequence[UUID]:
    """List the media that a post has, in its order."""
    return [row.media_id for row in media_of_post(reader, post_id) if row.is_attached]


def authors_wishing_for(reader: Reader, media_id: UUID) -> Sequence[UUID]:
    """List whose posts show or wait for a medium."""
    statement = (
        select(POSTS.c.author_id)
        .join(POST_IMAGES, POST_IMAGES.c.post_id == POSTS.c.id)
        .where(POST_IMAGES.c.media_id == media_id)
        .distinct()
    )
    return reader.execute(statement).scalars().all()


def lock_posts_wishing_for(reader: Reader, media_id: UUID) -> Sequence[Row[Any]]:
    """Lock, in order, and read the posts that show or wait for a medium; the first to ask comes first."""
    statement = (
        select(
            POSTS.c.id,
            POSTS.c.author_id,
            POSTS.c.state,
            POSTS.c.caption,
            POSTS.c.images,
            POSTS.c.visibility,
            POSTS.c.published_at,
        )
        .join(POST_IMAGES, POST_IMAGES.c.post_id == POSTS.c.id)
        .where(
            POST_IMAGES.c.media_id == media_id,
            POSTS.c.deleted_at.is_(None),
            POSTS.c.state != PostState.FAILED.value,
        )
        .order_by(POSTS.c.id)
        .with_for_update(of=POSTS, key_share=True)
    )
    return reader.execute(statement).all()

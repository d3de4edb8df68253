"""What a person made and kept, for their own copy: a statement for each section, with `person_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, literal_column, select, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by

from igloo_social.models.bookmarks import BOOKMARKS
from igloo_social.models.comments import COMMENTS
from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.models.likes import LIKES
from igloo_social.models.posts import POST_IMAGES, POST_REVISIONS, POSTS
from igloo_social.models.suspensions import SUSPENDED_LIKES
from igloo_social.queries.exported_people import PERSON, blocks_nobody

if TYPE_CHECKING:
    from sqlalchemy import Select


def posts() -> Select[Any]:
    """Read the person's posts, whatever became of them, with their photos and how they read before."""
    columns = (
        POSTS.c.id,
        POSTS.c.caption,
        POSTS.c.tags,
        POSTS.c.visibility,
        POSTS.c.state,
        POSTS.c.failure_code,
        POSTS.c.like_count,
        POSTS.c.comment_count,
        POSTS.c.comments_open,
        POSTS.c.created_at,
        POSTS.c.published_at,
        POSTS.c.edited_at,
        POSTS.c.deleted_at,
        _images().label("images"),
        _revisions().label("revisions"),
    )
    # Deleted posts are held until the account is deleted, and so are in the copy. Each half has an index.
    halves = (POSTS.c.deleted_at.is_(None), POSTS.c.deleted_at.is_not(None))
    both = union_all(*(select(*columns).where(POSTS.c.author_id == PERSON, half) for half in halves))
    rows = both.subquery()
    return select(rows).order_by(rows.c.created_at, rows.c.id)


def _images() -> ColumnElement[Any]:
    image = func.json_build_object(
        literal_column("'media_id'"),
        POST_IMAGES.c.media_id,
        literal_column("'alt_text'"),
        MEDIA_ITEMS.c.alt_text,
    )
    attached = and_(
        MEDIA_ITEMS.c.media_id == POST_IMAGES.c.media_id, MEDIA_ITEMS.c.post_id == POST_IMAGES.c.post_id
    )
    in_order = func.json_agg(aggregate_order_by(image, POST_IMAGES.c.position))
    return (
        select(func.coalesce(in_order, literal_column("'[]'::json")))
        .select_from(POST_IMAGES.outerjoin(MEDIA_ITEMS, attached))
        .where(POST_IMAGES.c.post_id == POSTS.c.id)
        .scalar_subquery()
    )


def _revisions() -> ColumnElement[Any]:
    """Read how a post read before, the oldest first."""
    parts: list[ColumnElement[Any]] = []
    for name in ("caption", "visibility", "written_at", "replaced_at"):
        parts += (literal_column(f"'{name}'"), POST_REVISIONS.c[name])
    in_order = func.json_agg(aggregate_order_by(func.json_build_object(*parts), POST_REVISIONS.c.number))
    return (
        select(func.coalesce(in_order, literal_column("'[]'::json")))
        .where(POST_REVISIONS.c.post_id == POSTS.c.id)
        .correlate_except(POST_REVISIONS)
        .scalar_subquery()
    )


def comments() -> Select[Any]:
    """Read what the person said under posts; of what they deleted, no words are held any more."""
    columns = ("id", "post_id", "text", "created_at", "deleted_at", "hidden_by")
    said = select(*(COMMENTS.c[name] for name in columns)).where(COMMENTS.c.author_id == PERSON)
    return said.order_by(COMMENTS.c.created_at, COMMENTS.c.id)


def likes() -> Select[Any]:
    """Read what the person likes, also what a suspension has set apart."""
    both = union_all(
        *(
            select(table.c.post_id, table.c.created_at.label("liked_at")).where(table.c.user_id == PERSON)
            for table in (LIKES, SUSPENDED_LIKES)
        )
    ).subquery()
    return select(both).order_by(both.c.post_id)


def bookmarks() -> Select[Any]:
    """Read what the person keeps for later, save posts of who blocks them."""
    return (
        select(BOOKMARKS.c.post_id, BOOKMARKS.c.created_at.label("kept_at"))
        .join_from(BOOKMARKS, POSTS, POSTS.c.id == BOOKMARKS.c.post_id)
        .where(BOOKMARKS.c.user_id == PERSON, blocks_nobody(POSTS.c.author_id))
        .order_by(BOOKMARKS.c.created_at, BOOKMARKS.c.post_id)
    )

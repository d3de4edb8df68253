"""Posts and the images that they show."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table

MAX_CAPTION_LENGTH = 2200
MAX_IMAGES = 10


class Visibility(StrEnum):
    """Whom the author shows a post to."""

    PUBLIC = "public"
    FOLLOWERS = "followers"
    PRIVATE = "private"


class PostState(StrEnum):
    """How far a post has come: it waits for images, is out, will never be, or was hidden by a moderator."""

    PROCESSING = "processing"
    PUBLISHED = "published"
    FAILED = "failed"
    HIDDEN = "hidden"


class Post(Base):
    """One post; a deleted one stays as a tombstone, so that late events cannot bring it back."""

    __tablename__ = "posts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"))
    caption: Mapped[str] = mapped_column(Text, server_default="")
    visibility: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)
    images: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default=text("'[]'"))
    """The images as readers see them, less the addresses: rewritten whenever one of them changes.

    Derived from post_images and media_items, which decide. A page of posts is then one look into the primary
    key a post; `json` and not `jsonb`, for nobody looks inside and text leaves the database as it stands.
    """
    like_count: Mapped[int] = mapped_column(server_default=text("0"))
    comment_count: Mapped[int] = mapped_column(server_default=text("0"))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    """The caption's hashtags, folded and each once, in their order: what post_tags is made from."""
    mention_count: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    """How many rows of post_mentions there are, so that the many posts without any look for none."""
    comments_open: Mapped[bool] = mapped_column(server_default=text("true"))
    rank_at: Mapped[datetime | None]
    """The place in explore: when it came out, and some hours later for every doubling of engagement."""
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Rises with every change that the author made: what If-Match compares, whoever likes it meanwhile."""
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    """When the author last changed the words; other changes leave no mark."""
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"char_length(caption) <= {MAX_CAPTION_LENGTH}", name="caption_length"),
        CheckConstraint("visibility IN ('public', 'followers', 'private')", name="visibility_known"),
        CheckConstraint("state IN ('processing', 'published', 'failed', 'hidden')", name="state_known"),
        CheckConstraint(
            "(state IN ('published', 'hidden')) = (published_at IS NOT NULL)", name="published_when"
        ),
        CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_why"),
        CheckConstraint("like_count >= 0", name="like_count_not_negative"),
        CheckConstraint("comment_count >= 0", name="comment_count_not_negative"),
        Index(
            "ix_posts_author_id_paged",
            "author_id",
            "created_at",
            "id",
            postgresql_where=text("deleted_at IS NULL"),
        ),
        # What the feeds of whoever follows a very popular author read.
        Index(
            "ix_posts_author_id_published",
            "author_id",
            "published_at",
            "id",
            postgresql_where=text("state = 'published' AND visibility <> 'private' AND deleted_at IS NULL"),
        ),
        Index(
            "ix_posts_explore",
            "rank_at",
            "id",
            postgresql_where=text("state = 'published' AND visibility = 'public' AND deleted_at IS NULL"),
        ),
        # What erasing a person finds beside the index above; deleting alone pays for it.
        Index("ix_posts_author_id_deleted", "author_id", postgresql_where=text("deleted_at IS NOT NULL")),
        Index(
            "ix_posts_processing",
            "created_at",
            postgresql_where=text("state = 'processing' AND deleted_at IS NULL"),
        ),
    )


class PostImage(Base):
    """A post's wish to show a medium at a position, from 0; media_items says which post has it."""

    __tablename__ = "post_images"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    media_id: Mapped[UUID] = mapped_column(index=True)

    __table_args__ = (
        UniqueConstraint("post_id", "media_id"),
        CheckConstraint(f"position >= 0 AND position < {MAX_IMAGES}", name="position_range"),
    )


class PostTag(Base):
    """A published post on the page of one of its hashtags."""

    __tablename__ = "post_tags"

    tag: Mapped[str] = mapped_column(Text, primary_key=True)
    published_at: Mapped[datetime] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True, index=True)


class PostMention(Base):
    """A person whom a post's caption names, with the username as it stands there."""

    __tablename__ = "post_mentions"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True, index=True)
    username: Mapped[str] = mapped_column(Text)


class PostRevision(Base):
    """How a post read before its words were edited, and to whom it was shown then.

    `private` also where the post was not out: nobody but its author has seen it so.
    """

    __tablename__ = "post_revisions"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1, the oldest."""
    caption: Mapped[str] = mapped_column(Text)
    visibility: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime]
    replaced_at: Mapped[datetime]


POSTS = cast("Table", Post.__table__)
POST_IMAGES = cast("Table", PostImage.__table__)
POST_TAGS = cast("Table", PostTag.__table__)
POST_MENTIONS = cast("Table", PostMention.__table__)
POST_REVISIONS = cast("Table", PostRevision.__table__)

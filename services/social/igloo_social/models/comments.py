"""What people say under posts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table

MAX_COMMENT_LENGTH = 1_000
SHOWN = "deleted_at IS NULL AND hidden_by IS NULL"


class CommentHiding(StrEnum):
    """Why a comment is out of sight although nobody deleted it."""

    MODERATION = "moderation"
    SUSPENSION = "suspension"


class Comment(Base):
    """What a person says under a post; a deleted one stays, empty, until its post or its author is erased."""

    __tablename__ = "comments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"))
    author_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    mention_count: Mapped[int] = mapped_column(SmallInteger, server_default=sql("0"))
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    hidden_by: Mapped[str | None] = mapped_column(Text)
    """Of CommentHiding: hidden comments are not counted, and may be shown again."""

    __table_args__ = (
        CheckConstraint(f"char_length(text) <= {MAX_COMMENT_LENGTH}", name="text_length"),
        CheckConstraint("deleted_at IS NULL OR text = ''", name="deleted_says_nothing"),
        CheckConstraint("hidden_by IN ('moderation', 'suspension')", name="hidden_by_known"),
        Index("ix_comments_post_id_paged", "post_id", "created_at", "id", postgresql_where=sql(SHOWN)),
        # For the counts that leave out whom the viewer does not meet.
        Index("ix_comments_post_id_author_id", "post_id", "author_id", postgresql_where=sql(SHOWN)),
        # For the foreign key: without it, erasing a post with nothing but deleted comments reads them all.
        Index("ix_comments_post_id", "post_id"),
    )


class CommentMention(Base):
    """A person whom a comment names, with the username as it stands there."""

    __tablename__ = "comment_mentions"

    comment_id: Mapped[UUID] = mapped_column(ForeignKey("comments.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True, index=True)
    username: Mapped[str] = mapped_column(Text)


COMMENTS = cast("Table", Comment.__table__)
COMMENT_MENTIONS = cast("Table", CommentMention.__table__)

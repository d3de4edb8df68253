"""The social service's own copy of what the media service said about each medium."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class MediaState(StrEnum):
    """Whether a medium can be shown."""

    READY = "ready"
    FAILED = "failed"


class MediaItem(Base):
    """A medium that is ready or has failed; one not heard of yet has no row.

    `post_id` is the one post that shows it: attached once, by construction.
    """

    __tablename__ = "media_items"

    media_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(index=True)
    """Not a foreign key: the medium's event may come before the owner's profile."""
    post_id: Mapped[UUID | None] = mapped_column(ForeignKey("posts.id"))
    state: Mapped[str] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)
    width: Mapped[int | None]
    height: Mapped[int | None]
    blurhash: Mapped[str | None] = mapped_column(Text)
    dominant_color: Mapped[str | None] = mapped_column(Text)
    alt_text: Mapped[str | None] = mapped_column(Text)
    focal_x: Mapped[float | None]
    focal_y: Mapped[float | None]
    renditions: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    updated_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("state IN ('ready', 'failed')", name="state_known"),
        CheckConstraint(
            "state <> 'ready' OR (width IS NOT NULL AND height IS NOT NULL AND renditions IS NOT NULL)",
            name="ready_is_whole",
        ),
        # For the foreign key: without it, removing a post reads the whole table.
        Index("ix_media_items_post_id", "post_id", postgresql_where=text("post_id IS NOT NULL")),
    )


MEDIA_ITEMS = cast("Table", MediaItem.__table__)

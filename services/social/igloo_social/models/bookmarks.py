"""Which posts people keep for later."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class Bookmark(Base):
    """A post that a person keeps for themselves; nobody else learns of it."""

    __tablename__ = "bookmarks"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_bookmarks_user_id_paged", "user_id", "created_at", "post_id"),)


BOOKMARKS = cast("Table", Bookmark.__table__)

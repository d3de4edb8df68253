"""Who likes what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class Like(Base):
    """A person's like of a post: at most one."""

    __tablename__ = "likes"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_likes_post_id_paged", "post_id", "created_at", "user_id"),
        Index("ix_likes_user_id_post_id", "user_id", "post_id"),
    )


LIKES = cast("Table", Like.__table__)

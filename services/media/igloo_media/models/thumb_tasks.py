"""Thumbnails to be cut anew, because their owner moved the focal point of a photo that was ready."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class ThumbTask(Base):
    """One photo whose thumbnail does not show its focal point yet; a dead worker leaves it to the next."""

    __tablename__ = "thumb_tasks"

    media_id: Mapped[UUID] = mapped_column(ForeignKey("media_items.id", ondelete="CASCADE"), primary_key=True)
    due_at: Mapped[datetime]
    """When a worker takes it next; while one is at it, when that one must have died."""
    claim_id: Mapped[UUID | None]
    """Names the one claim whose outcome counts; it stays when its photo ends, until its worker lets go."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (Index("ix_thumb_tasks_due_at", "due_at"),)

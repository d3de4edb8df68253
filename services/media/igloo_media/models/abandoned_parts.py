"""Uploads in parts that are to leave S3: noted in the transaction that ends their use, aborted after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class AbandonedParts(Base):
    """One upload in parts to abort; aborting it twice is harmless, and so is one whose parts were joined."""

    __tablename__ = "abandoned_parts"

    multipart_id: Mapped[str] = mapped_column(Text, primary_key=True)
    """S3's name for it."""
    object_key: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime]

    __table_args__ = (Index("ix_abandoned_parts_due", "due_at"),)

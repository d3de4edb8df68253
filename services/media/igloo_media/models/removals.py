"""Objects that are to leave S3: noted in the transaction that ends their use, removed by a job after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class ObjectRemoval(Base):
    """One object to remove, not before a time; removing it twice is harmless."""

    __tablename__ = "object_removals"

    object_key: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_object_removals_due", "due_at"),)

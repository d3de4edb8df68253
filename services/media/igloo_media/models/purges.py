"""Addresses that caches are to forget: noted in the transaction that ends their use, purged after it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class CachePurge(Base):
    """One path below the gateway that no cache may keep, not before a time; purging it twice is harmless."""

    __tablename__ = "cache_purges"

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    is_last: Mapped[bool]
    """Another of the same path comes later unless this is it."""

    __table_args__ = (Index("ix_cache_purges_due", "due_at"),)

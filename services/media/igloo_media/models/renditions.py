"""The sizes in which a ready photo is kept."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class Rendition(Base):
    """One re-encoded size of a photo; its object's key follows from the item's id, name and version."""

    __tablename__ = "renditions"

    media_id: Mapped[UUID] = mapped_column(ForeignKey("media_items.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    content_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Part of its address: bytes that were published once never change under theirs."""
    is_animated: Mapped[bool] = mapped_column(server_default=text("false"))

"""How much of a person's is stored, counted as it comes and goes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class OwnerUsage(Base):
    """The ready photos of one person, counted in the transactions that make one ready or end it."""

    __tablename__ = "owner_usage"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    photos: Mapped[int] = mapped_column(server_default=text("0"))
    stored_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    """Of their renditions."""

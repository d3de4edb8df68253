"""Photos that a moderator took down: what their files were, so that they are not taken again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class Takedown(Base):
    """The file of one photo of a post that a moderator hid.

    It names no person and stays when photo, post and account go; it goes when the decision is taken back.
    """

    __tablename__ = "takedowns"

    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    decided_at: Mapped[datetime]

    __table_args__ = (Index("ix_takedowns_sha256", "sha256"),)

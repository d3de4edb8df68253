"""The home feed of each person, materialised."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class TimelineEntry(Base):
    """One post in one person's feed.

    The primary key is the page: one index range scan, which touches no row. There are no foreign keys and no
    second index on purpose, for this is the table that a popular author's post writes 100,000 rows to; a row
    whose post is gone is harmless, since the rules are applied again at reading.
    """

    __tablename__ = "timeline"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    published_at: Mapped[datetime] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID]


TIMELINE = cast("Table", TimelineEntry.__table__)

"""The home feed of each person, materialised, and what changed in it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String
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


class ChangeKind(StrEnum):
    """What a change of a feed is about."""

    POST = "p"
    AUTHOR = "a"


class FeedChange(Base):
    """A post, or an author, to be looked at again by the phones that keep one person's feed.

    It says where to look and not what happened: what holds is read when it is asked for. Posts that come out
    in time need no row, for their own time leads to them.
    """

    __tablename__ = "feed_changes"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The post's id, or the author's."""
    kind: Mapped[str] = mapped_column(String(1), primary_key=True)
    published_before: Mapped[datetime | None]
    """Of an author who is back: the feed may hold posts from before this time that no row names."""

    __table_args__ = (
        CheckConstraint("kind IN ('p', 'a')", name="kind_known"),
        CheckConstraint("published_before IS NULL OR kind = 'a'", name="only_authors_leave_gaps"),
        # Rows come in the order of time and go by it: a range of blocks is enough to find the old ones.
        Index("ix_feed_changes_changed_at", "changed_at", postgresql_using="brin"),
    )


class PostChange(Base):
    """A change of a post whose author's posts are merged into feeds at reading: one row for all followers."""

    __tablename__ = "post_changes"

    author_id: Mapped[UUID] = mapped_column(primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (Index("ix_post_changes_changed_at", "changed_at", postgresql_using="brin"),)


TIMELINE = cast("Table", TimelineEntry.__table__)
FEED_CHANGES = cast("Table", FeedChange.__table__)
POST_CHANGES = cast("Table", PostChange.__table__)

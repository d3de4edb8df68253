"""What people are told, and how far they have read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class NotificationKind(StrEnum):
    """What a notification tells."""

    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    LIKE = "like"
    POST_FAILED = "post_failed"


class Notification(Base):
    """One fact told to one person; told again, it is the same row."""

    __tablename__ = "notifications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"))
    kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("profiles.user_id"), index=True)
    object_id: Mapped[UUID | None] = mapped_column(index=True)
    """What it is about, when it is about more than the actor: the post's id."""
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("recipient_id", "kind", "actor_id", "object_id", postgresql_nulls_not_distinct=True),
        Index("ix_notifications_recipient_id_paged", "recipient_id", "created_at", "id"),
    )


class ReadMarker(Base):
    """The moment up to which a person has read the notifications; it moves forward only."""

    __tablename__ = "notification_read_markers"

    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    read_until: Mapped[datetime]


NOTIFICATIONS = cast("Table", Notification.__table__)
READ_MARKERS = cast("Table", ReadMarker.__table__)

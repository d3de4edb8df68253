"""What people are told, how far they have read, and what they want to be told."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class NotificationKind(StrEnum):
    """What a notification tells."""

    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    FOLLOW_ACCEPTED = "follow_accepted"
    LIKE = "like"
    COMMENT = "comment"
    MENTION = "mention"
    POST_FAILED = "post_failed"


WORDED = "kind IN ('comment', 'mention')"


class Notification(Base):
    """One fact told to one person; told again, it is the same row."""

    __tablename__ = "notifications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"))
    kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("profiles.user_id"), index=True)
    object_id: Mapped[UUID | None]
    """What makes it this fact, when it is about more than the actor: the comment's id, or else the post's."""
    post_id: Mapped[UUID | None] = mapped_column(index=True)
    """The post that it leads to, if any."""
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("notification_groups.id"))
    is_newest: Mapped[bool] = mapped_column(server_default=text("true"))
    """Whether it is its actor's newest in its group: of several comments, the one that the actor shows by."""
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("recipient_id", "kind", "actor_id", "object_id", postgresql_nulls_not_distinct=True),
        Index("ix_notifications_recipient_id_paged", "recipient_id", "created_at", "id"),
        # The people of a group, the newest first, however many comments each of them wrote.
        Index(
            "ix_notifications_group_id_paged",
            "group_id",
            "created_at",
            "id",
            postgresql_where=text("is_newest"),
        ),
        # What a comment or a caption told. Not of likes: a post may have too many, and for taking one of them
        # back the planner would rather look here than where the fact is unique.
        Index("ix_notifications_object_id_worded", "object_id", postgresql_where=text(WORDED)),
        # Facts told by a release that knew no groups, while it was being replaced: none, but for minutes.
        Index("ix_notifications_ungrouped", "id", postgresql_where=text("group_id IS NULL")),
        # What one person did in a group: who comes next when the newest goes, and whether the hidden did any.
        Index("ix_notifications_group_id_actor_id_paged", "group_id", "actor_id", "created_at", "id"),
    )


class NotificationGroup(Base):
    """Facts that are shown as one: "A and 3 others like your post". Never without a fact.

    Likes and comments of one post, and follows, are grouped by day; everything else is a group of its own.
    """

    __tablename__ = "notification_groups"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Made of what its facts have in common, so that all who tell such a fact at once mean the same group."""
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"))
    kind: Mapped[str] = mapped_column(Text)
    latest_at: Mapped[datetime]
    """When the newest of its facts was told: the group's place in the list."""
    actor_count: Mapped[int]
    """How many different people its facts are about; the nobody who failed a post counts as one."""

    __table_args__ = (
        CheckConstraint("actor_count > 0", name="not_empty"),
        Index("ix_notification_groups_recipient_id_paged", "recipient_id", "latest_at", "id"),
    )


class NotificationDelivery(StrEnum):
    """What is done about a kind of news: pushed to phones and listed, listed alone, or nothing."""

    PUSH = "push"
    LIST = "list"
    OFF = "off"


class NotificationPreference(Base):
    """What a person chose for a kind of news; without a row it is pushed."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    delivery: Mapped[str] = mapped_column(Text, server_default=text("'push'"))

    __table_args__ = (CheckConstraint("delivery IN ('push', 'list', 'off')", name="delivery_known"),)


class ReadMarker(Base):
    """The moment up to which a person has read the notifications; it moves forward only."""

    __tablename__ = "notification_read_markers"

    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    read_until: Mapped[datetime]


NOTIFICATIONS = cast("Table", Notification.__table__)
READ_MARKERS = cast("Table", ReadMarker.__table__)
NOTIFICATION_GROUPS = cast("Table", NotificationGroup.__table__)
NOTIFICATION_PREFERENCES = cast("Table", NotificationPreference.__table__)

"""What people report, and what moderators did about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


MAX_NOTE_LENGTH = 500


class ReportTarget(StrEnum):
    """What kind of thing is reported."""

    USER = "user"
    POST = "post"
    COMMENT = "comment"


class ReportReason(StrEnum):
    """Why it is reported."""

    SPAM = "spam"
    HARASSMENT = "harassment"
    HATE = "hate"
    NUDITY = "nudity"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    ILLEGAL = "illegal"
    IMPERSONATION = "impersonation"
    INTELLECTUAL_PROPERTY = "intellectual_property"
    OTHER = "other"


class Resolution(StrEnum):
    """What a moderator decided about a report."""

    DISMISS = "dismiss"
    HIDE_POST = "hide_post"
    HIDE_COMMENT = "hide_comment"
    SUSPEND_ACCOUNT = "suspend_account"


class ModerationStep(StrEnum):
    """What a moderator did besides deciding."""

    VIEW = "view"
    REOPEN = "reopen"


class Report(Base):
    """One person's word that something breaks the rules, and what was decided about it."""

    __tablename__ = "reports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reporter_id: Mapped[UUID | None] = mapped_column(ForeignKey("profiles.user_id"), index=True)
    """None once the reporter's account was erased: what was reported stays reported."""
    target_kind: Mapped[str] = mapped_column(Text)
    target_id: Mapped[UUID]
    owner_id: Mapped[UUID] = mapped_column(index=True)
    """Whose the reported thing is, or who is reported."""
    reason: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The words, names and media as they were reported, for they may be edited or deleted since."""
    created_at: Mapped[datetime]
    resolution: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("target_kind IN ('user', 'post', 'comment')", name="target_kind_known"),
        CheckConstraint(f"char_length(note) <= {MAX_NOTE_LENGTH}", name="note_length"),
        CheckConstraint("(resolution IS NULL) = (resolved_at IS NULL)", name="resolved_whole"),
        # Said again while it is open, it is the same report.
        Index(
            "uq_reports_open",
            "reporter_id",
            "target_kind",
            "target_id",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
        Index("ix_reports_open", "created_at", "id", postgresql_where=text("resolved_at IS NULL")),
        Index("ix_reports_resolved", "created_at", "id", postgresql_where=text("resolved_at IS NOT NULL")),
        Index("ix_reports_target", "target_kind", "target_id", "resolved_at"),
    )


class ModerationAction(Base):
    """One thing that a moderator did; the database lets nobody change or remove it."""

    __tablename__ = "moderation_actions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    moderator_id: Mapped[UUID]
    action: Mapped[str] = mapped_column(Text)
    """A Resolution, or a ModerationStep."""
    report_id: Mapped[UUID] = mapped_column(index=True)
    target_kind: Mapped[str] = mapped_column(Text)
    target_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    acted_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(
            "action IN ('dismiss', 'hide_post', 'hide_comment', 'suspend_account', 'reopen', 'view')",
            name="action_known",
        ),
        CheckConstraint("target_kind IN ('user', 'post', 'comment')", name="target_kind_known"),
        Index("ix_moderation_actions_paged", "acted_at", "id"),
        # What was decided, among the many looks.
        Index("ix_moderation_actions_decided", "acted_at", "id", postgresql_where=text("action <> 'view'")),
        Index("ix_moderation_actions_owner_id_paged", "owner_id", "acted_at", "id"),
        Index("ix_moderation_actions_target_id_paged", "target_id", "acted_at", "id"),
    )


REPORTS = cast("Table", Report.__table__)
MODERATION_ACTIONS = cast("Table", ModerationAction.__table__)

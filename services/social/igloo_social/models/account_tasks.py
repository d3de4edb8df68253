"""What is to be done about a person piece by piece: erase, collect a copy, suspend, reinstate."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class TaskKind(StrEnum):
    """What is to be done."""

    ERASURE = "erasure"
    EXPORT = "export"
    SUSPENSION = "suspension"
    REINSTATEMENT = "reinstatement"


class AccountTask(Base):
    """One task; a worker that dies over it leaves it to the next, and doing it twice ends the same."""

    __tablename__ = "account_tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Of the deletion or the export that it is a part of."""
    kind: Mapped[str] = mapped_column(Text)
    account_id: Mapped[UUID]
    parts_prefix: Mapped[str | None] = mapped_column(Text)
    """Where an export's part goes in S3."""
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When a worker looks at it next; None when it is done."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    finished_at: Mapped[datetime | None]
    removed: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'"))
    """How many things of each kind an erasure has removed so far, whoever of several workers did."""
    place_at: Mapped[datetime | None]
    """How far a reinstatement has walked through those who followed all the time: since when the last did."""
    place_id: Mapped[UUID | None]
    """And who that was."""

    __table_args__ = (
        CheckConstraint("kind IN ('erasure', 'export', 'suspension', 'reinstatement')", name="kind_known"),
        CheckConstraint("(kind = 'export') = (parts_prefix IS NOT NULL)", name="export_has_place"),
        CheckConstraint("(due_at IS NULL) = (finished_at IS NOT NULL)", name="unfinished_is_due"),
        Index("ix_account_tasks_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        # Every read of posts and people looks here for whom to leave out of counts; it is mostly empty.
        Index(
            "ix_account_tasks_leaving",
            "account_id",
            postgresql_where=text("kind IN ('erasure', 'suspension') AND due_at IS NOT NULL"),
        ),
    )


ACCOUNT_TASKS = cast("Table", AccountTask.__table__)

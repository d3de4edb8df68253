"""What the auth service asked to be done about a person: to erase them, or to collect a copy."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class TaskKind(StrEnum):
    """What is to be done."""

    ERASURE = "erasure"
    EXPORT = "export"


class AccountTask(Base):
    """One task; a worker that dies over it leaves it to the next, and doing it twice ends the same.

    A finished erasure stays for good, as the tombstone of the account: it names nobody, and while it is there
    neither a token that still works nor an event that comes late brings anything back.
    """

    __tablename__ = "account_tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    """Of the deletion or the export that it is a part of."""
    kind: Mapped[str] = mapped_column(Text)
    account_id: Mapped[UUID]
    parts_prefix: Mapped[str | None] = mapped_column(Text)
    """Where an export's part goes in S3."""
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    """When a worker takes it next; while one is at it, when that one must have died; None when it is done."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    """Since it last came further."""
    done_to: Mapped[UUID | None]
    """The last item whose photo an export has copied."""
    items: Mapped[int] = mapped_column(server_default=text("0"))
    """How many items an erasure has closed."""
    objects: Mapped[int] = mapped_column(server_default=text("0"))
    """How many objects these had in S3."""
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("kind IN ('erasure', 'export')", name="kind_known"),
        CheckConstraint("(kind = 'export') = (parts_prefix IS NOT NULL)", name="export_has_place"),
        CheckConstraint("(due_at IS NULL) = (finished_at IS NOT NULL)", name="unfinished_is_due"),
        Index("ix_account_tasks_account", "account_id", "kind"),
        Index("ix_account_tasks_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

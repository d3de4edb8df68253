"""Exports of everything held about a person: one archive, put together from what each service collects."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class ExportState(StrEnum):
    """Where an export stands: `collecting → ready | failed`, `ready → expired`."""

    COLLECTING = "collecting"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class AccountExport(Base):
    """One request for a copy; the archive leaves S3 when the export expires."""

    __tablename__ = "account_exports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(Text)
    failure_code: Mapped[str | None] = mapped_column(Text)
    archive_bytes: Mapped[int | None] = mapped_column(BigInteger)
    requested_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    """Until when the archive is kept; an export that is not ready by then has failed."""
    due_at: Mapped[datetime | None]
    """When a worker next looks at it: to collect auth's own part, to make the archive, to expire it."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))

    __table_args__ = (
        CheckConstraint("state IN ('collecting', 'ready', 'failed', 'expired')", name="state_known"),
        CheckConstraint("(state = 'failed') = (failure_code IS NOT NULL)", name="failed_says_why"),
        CheckConstraint(
            "state <> 'ready' OR (ready_at IS NOT NULL AND archive_bytes IS NOT NULL)", name="ready_is_whole"
        ),
        # However often a person asks at once, one is put together.
        Index(
            "uq_account_exports_collecting",
            "account_id",
            unique=True,
            postgresql_where=text("state = 'collecting'"),
        ),
        Index("ix_account_exports_account_id", "account_id", "requested_at"),
        Index("ix_account_exports_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )


class ExportPart(Base):
    """What one service has collected, waiting in S3 to go into the archive."""

    __tablename__ = "account_export_parts"

    export_id: Mapped[UUID] = mapped_column(
        ForeignKey("account_exports.id", ondelete="CASCADE"), primary_key=True
    )
    service: Mapped[str] = mapped_column(Text, primary_key=True)
    collected_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("service IN ('auth', 'social', 'media')", name="service_known"),)

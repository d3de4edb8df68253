"""Deletions of accounts: the receipt, and how far each service has come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class DeletionSource(StrEnum):
    """Who asked for it."""

    OWNER = "owner"
    FACEBOOK = "facebook"
    OPERATOR = "operator"


class AccountDeletion(Base):
    """One deletion; it holds no word about the person, and is kept as the proof that it was done."""

    __tablename__ = "account_deletions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    confirmation_code: Mapped[str] = mapped_column(Text, unique=True)
    account_id: Mapped[UUID | None] = mapped_column(unique=True)
    """None when Facebook asked about somebody of whom nothing was held."""
    facebook_user_hash: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)
    """Under a key of ours: recognises Facebook's repeated request without keeping whom it was about."""
    source: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    """When the last service had finished."""


class DeletionStep(Base):
    """One service's part of a deletion."""

    __tablename__ = "account_deletion_steps"

    deletion_id: Mapped[UUID] = mapped_column(
        ForeignKey("account_deletions.id", ondelete="CASCADE"), primary_key=True
    )
    service: Mapped[str] = mapped_column(Text, primary_key=True)
    completed_at: Mapped[datetime | None]
    removed: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """How many of which kind of thing were removed."""

    __table_args__ = (
        CheckConstraint("(completed_at IS NULL) = (removed IS NULL)", name="completed_with_count"),
        CheckConstraint("service IN ('auth', 'social', 'media')", name="service_known"),
        # Receipts are kept for good; the worker looks every other second for the few steps that are open.
        Index(
            "ix_account_deletion_steps_open",
            "service",
            "deletion_id",
            postgresql_where=text("completed_at IS NULL"),
        ),
    )

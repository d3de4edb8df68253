"""Accounts: one row a person, whichever way that person signs in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class Account(Base):
    """A person as the auth service knows one; what others see is social's profile.

    A deleted account stays as a tombstone that says nothing of the person: its sessions can still tell a
    phone why it was signed out. The tombstone goes when the last of them does.
    """

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    picture_url: Mapped[str | None] = mapped_column(Text)
    is_moderator: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether its access tokens carry the scope `moderator`."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    suspension_reason: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("(suspended_at IS NULL) = (suspension_reason IS NULL)", name="suspended_with_reason"),
        CheckConstraint(
            "deleted_at IS NULL OR (display_name = '' AND picture_url IS NULL AND NOT is_moderator)",
            name="deleted_says_nothing",
        ),
        Index("ix_accounts_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

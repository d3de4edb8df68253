"""Refresh tokens: stored as hashes, each replaced by its successor when it is used."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class RefreshToken(Base):
    """One link in the chain of a session's refresh tokens; the token itself is never stored."""

    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    rotated_at: Mapped[datetime | None]
    """When it was first exchanged; unset while it is the live end of the chain."""
    # No foreign key: a successor outlives its predecessor and goes with the same session, so the key
    # could never be broken, while its index would cost every refresh.
    successor_id: Mapped[UUID | None]
    sealed_successor: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The successor under a key that only the holder of this token has; see operations.refresh_secrets."""

    __table_args__ = (
        CheckConstraint("(rotated_at IS NULL) = (successor_id IS NULL)", name="rotated_to_successor"),
        # For the job that erases seals which can no longer be asked for.
        Index(
            "ix_refresh_tokens_rotated_at_sealed",
            "rotated_at",
            postgresql_where=text("sealed_successor IS NOT NULL"),
        ),
    )

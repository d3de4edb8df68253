"""Sessions: one row a sign-in on one device, for as long as that device stays signed in."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class RevocationReason(StrEnum):
    """Why a session ended; stored, published and shown to its owner."""

    SIGNED_OUT = "signed_out"
    REVOKED_BY_OWNER = "revoked_by_owner"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 - a reason, no credential
    AUTHORIZATION_CODE_REUSED = "authorization_code_reused"
    FACEBOOK_DEAUTHORIZED = "facebook_deauthorized"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_DELETED = "account_deleted"


class DeviceSession(Base):
    """A device that is or was signed in; also the family that its refresh tokens belong to."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    device_name: Mapped[str | None] = mapped_column(Text)
    platform: Mapped[str | None] = mapped_column(Text)
    ip_prefix: Mapped[str | None] = mapped_column(Text)
    """The network last seen (/24 of IPv4, /48 of IPv6): enough to recognise, too coarse to locate."""
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """When the newest refresh token of the family expires: the session is over if it stays unused."""
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_reason IS NULL)", name="revoked_with_reason"),
        Index("ix_sessions_account_id_paged", "account_id", "created_at", "id"),
        Index("ix_sessions_expires_at", "expires_at"),
    )

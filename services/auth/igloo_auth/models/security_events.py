"""The audit trail: what happened to an account's security, shown to its owner as security activity."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class SecurityEventKind(StrEnum):
    """What happened; stored and shown, so a name is never changed or used again."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SESSION_REVOKED = "session_revoked"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105 - a kind of event, no credential
    AUTHORIZATION_CODE_REUSED = "authorization_code_reused"
    FACEBOOK_DEAUTHORIZED = "facebook_deauthorized"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_REINSTATED = "account_reinstated"
    MODERATOR_APPOINTED = "moderator_appointed"
    MODERATOR_DISMISSED = "moderator_dismissed"
    EXPORT_REQUESTED = "export_requested"
    EXPORT_LINK_ISSUED = "export_link_issued"


class SecurityEvent(Base):
    """One line of the trail.

    A trigger refuses every change, and removal while the account lives and the line is recent.
    """

    __tablename__ = "security_events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    session_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(Text)
    ip_prefix: Mapped[str | None] = mapped_column(Text)
    """The network that it came from, as coarse as a session's."""
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """What else there is to say, a flat object of words: `grant_type`, `device_name`, `reason`."""
    occurred_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_security_events_account_id_paged", "account_id", "occurred_at", "id"),
        Index("ix_security_events_occurred_at", "occurred_at"),
    )

"""Sign-ins through a browser: from an app's request to the code that the app trades for tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class AuthorizationRequest(Base):
    """What an app asked for, while its person is at Facebook; deleted when the person comes back."""

    __tablename__ = "authorization_requests"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """Of the state that we sent to Facebook, which is not the app's own."""
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the cookie of the browser that began: only the same browser may finish."""
    client_id: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    client_state: Mapped[str | None] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AuthorizationCode(Base):
    """A code on its way to an app; redeemed once, and remembered until it would have expired anyway."""

    __tablename__ = "authorization_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    client_id: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(Text)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    redeemed_at: Mapped[datetime | None]
    session_id: Mapped[UUID | None]
    """The session that it was redeemed for, which ends if the code comes again (RFC 6749 section 4.1.2)."""

    __table_args__ = (
        CheckConstraint("(redeemed_at IS NULL) = (session_id IS NULL)", name="redeemed_for_session"),
    )

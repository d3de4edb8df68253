"""Look-ups of friends still to be made: the only place where a Facebook token is kept, for minutes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class FriendLookup(Base):
    """One person's friends are to be asked for; the row goes with the answer, or when it expires."""

    __tablename__ = "friend_lookups"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    sealed_token: Mapped[bytes] = mapped_column(LargeBinary)
    """The Facebook access token, encrypted under a key that is not in the database."""
    due_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))

"""Facebook identities: which account a Facebook user signs in to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_auth.db import Base


class FacebookIdentity(Base):
    """The link between a Facebook user of our app and one account.

    The Facebook user id is the only link. An email address is none: Facebook does not promise that it was
    verified, so linking by it would hand an account to whoever typed its owner's address.
    """

    __tablename__ = "facebook_identities"

    facebook_user_id: Mapped[str] = mapped_column(Text, primary_key=True)
    # Deferred to the commit: a first sign-in inserts the identity before its account, so that of two
    # phones the one that loses the race has written nothing that must be taken back.
    account_id: Mapped[UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"), unique=True
    )
    linked_at: Mapped[datetime]

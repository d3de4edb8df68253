"""Who are friends at Facebook and both here: what suggestions to follow are made from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class FacebookFriend(Base):
    """One direction of a friendship; the other has a row of its own.

    No foreign keys: a friend's account may be known before the event that makes its profile has come.
    """

    __tablename__ = "facebook_friends"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    friend_id: Mapped[UUID] = mapped_column(primary_key=True)
    found_at: Mapped[datetime]
    """When the friendship was first heard of; being found again does not move it."""

    __table_args__ = (
        Index("ix_facebook_friends_friend_id", "friend_id"),
        Index("ix_facebook_friends_user_id_paged", "user_id", "found_at", "friend_id"),
    )


FACEBOOK_FRIENDS = cast("Table", FacebookFriend.__table__)

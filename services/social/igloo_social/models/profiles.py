"""People as others see them."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import CheckConstraint, Table, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base


class Profile(Base):
    """A person: one row an account, made at the first sight of the account's id."""

    __tablename__ = "profiles"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    bio: Mapped[str] = mapped_column(Text, server_default="")
    avatar_url: Mapped[str | None] = mapped_column(Text)
    is_private: Mapped[bool] = mapped_column(server_default=text("false"))
    follower_count: Mapped[int] = mapped_column(server_default=text("0"))
    following_count: Mapped[int] = mapped_column(server_default=text("0"))
    post_count: Mapped[int] = mapped_column(server_default=text("0"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Rises with every change that the owner made; the ETag of the owner's own view."""
    account_seen_at: Mapped[datetime | None]
    """When the account's own event was merged; unset while only a token was seen."""
    friends_found_at: Mapped[datetime | None]
    """When this person's Facebook friends were last looked up, so that an older list changes nothing."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    """When the account was deleted. The row stays, empty: it keeps the username from being taken by somebody
    else, and late events from making the person anew."""

    __table_args__ = (
        # Kept in lower case, so that the plain unique index is case-insensitive and serves the look-up.
        CheckConstraint("username ~ '^[a-z0-9_.]{3,30}$'", name="username_well_formed"),
        CheckConstraint("follower_count >= 0", name="follower_count_not_negative"),
        CheckConstraint("following_count >= 0", name="following_count_not_negative"),
        CheckConstraint("post_count >= 0", name="post_count_not_negative"),
    )


PROFILES = cast("Table", Profile.__table__)
"""The table itself, for Core statements: plain rows cost a fraction of what objects do."""

"""People as others see them."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    FromClause,
    Index,
    SmallInteger,
    Table,
    Text,
    and_,
    text,
)
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
    """What the author pages through: all posts that are not deleted, whatever their state and visibility."""
    public_post_count: Mapped[int] = mapped_column(server_default=text("0"))
    """Published posts for everybody: what a stranger pages through while the account is public."""
    followers_post_count: Mapped[int] = mapped_column(server_default=text("0"))
    """Published posts for followers alone, which followers page through beside the public ones."""
    version: Mapped[int] = mapped_column(server_default=text("1"))
    """Rises with every change that the owner made; the ETag of the owner's own view."""
    account_seen_at: Mapped[datetime | None]
    """When the account's own event was merged; unset while only a token was seen."""
    username_changed_at: Mapped[datetime | None]
    """When the person last chose a username; unset while it is one that was made for them."""
    merged_at_read: Mapped[bool] = mapped_column(server_default=text("false"))
    """Set for good once so many follow that feeds read the posts instead of being written to."""
    friends_found_at: Mapped[datetime | None]
    """When this person's Facebook friends were last looked up, so that an older list changes nothing."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    """When the account was deleted. The row stays, empty: it keeps the username from being taken by somebody
    else, and late events from making the person anew."""
    suspended_at: Mapped[datetime | None]
    """When a moderator took the person out of sight. Nothing is removed: it may turn out to be a mistake."""

    __table_args__ = (
        # Kept in lower case, so that the plain unique index is case-insensitive and serves the look-up.
        CheckConstraint("username ~ '^[a-z0-9_.]{3,30}$'", name="username_well_formed"),
        CheckConstraint("follower_count >= 0", name="follower_count_not_negative"),
        CheckConstraint("following_count >= 0", name="following_count_not_negative"),
        CheckConstraint("post_count >= 0", name="post_count_not_negative"),
        CheckConstraint("public_post_count >= 0", name="public_post_count_not_negative"),
        CheckConstraint("followers_post_count >= 0", name="followers_post_count_not_negative"),
        # The few whose older follows a job flags; no count is in it, so that a follow stays a cheap update.
        Index("ix_profiles_merged_at_read", "user_id", postgresql_where=text("merged_at_read")),
    )


class FormerUsername(Base):
    """A username that somebody had before: theirs to take back, and nobody else's to pass for them with."""

    __tablename__ = "former_usernames"

    username: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), index=True)
    released_at: Mapped[datetime]


class SearchName(Base):
    """What a person is found by: the username, and the name from the beginning of each of its words on.

    Kept by a trigger of `profiles`, as an index would be, for people who are here; see migration 0005. Sorted
    as bytes, whatever the database's locale: what begins with something is one range of it, in any script.
    """

    __tablename__ = "search_names"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """0 is the username, 1 the whole name, and higher the rest of it from a later word on."""
    name: Mapped[str] = mapped_column(Text(collation="C"))
    """As the function `search_key` writes it, save the username, which stands as it is."""

    __table_args__ = (
        Index("ix_search_names_usernames", "name", "user_id", postgresql_where=text("place = 0")),
        Index("ix_search_names_words", "name", "user_id", "place", postgresql_where=text("place > 0")),
        Index(
            "ix_search_names_trigrams",
            "name",
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops"},
            postgresql_where=text("place <= 1"),
        ),
    )


PROFILES = cast("Table", Profile.__table__)
"""The table itself, for Core statements: plain rows cost a fraction of what objects do."""

FORMER_USERNAMES = cast("Table", FormerUsername.__table__)

SEARCH_NAMES = cast("Table", SearchName.__table__)


def is_here(profiles: FromClause = PROFILES) -> ColumnElement[bool]:
    """Hold for people whom others may meet: neither deleted nor suspended."""
    return and_(profiles.c.deleted_at.is_(None), profiles.c.suspended_at.is_(None))

"""What is kept apart of suspended people, to be put back if they are reinstated."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class SuspendedRelation(Base):
    """A follow or request of, or to, a suspended person, kept apart so that nobody counts or meets it."""

    __tablename__ = "suspended_relations"

    from_user: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    to_user: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True, index=True)
    relation_type: Mapped[str] = mapped_column(String(1), primary_key=True)
    created_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("relation_type IN ('f', 'r')", name="relation_type_known"),)


class SuspendedLike(Base):
    """A suspended person's like, kept apart likewise."""

    __tablename__ = "suspended_likes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    post_id: Mapped[UUID] = mapped_column(ForeignKey("posts.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]


SUSPENDED_RELATIONS = cast("Table", SuspendedRelation.__table__)
SUSPENDED_LIKES = cast("Table", SuspendedLike.__table__)

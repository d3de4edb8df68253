"""Whom people do not want to be suggested."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base

if TYPE_CHECKING:
    from sqlalchemy import Table


class DismissedSuggestion(Base):
    """A person who is not to be suggested to another again."""

    __tablename__ = "dismissed_suggestions"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    """Who does not want to be asked again."""
    dismissed_id: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True, index=True)
    dismissed_at: Mapped[datetime]


DISMISSED_SUGGESTIONS = cast("Table", DismissedSuggestion.__table__)

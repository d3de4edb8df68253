"""The relation graph: follows, requests, blocks and mutes from one person to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self, cast
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    FromClause,
    Index,
    String,
    Table,
    func,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from igloo_social.db import Base


class RelationType(StrEnum):
    """What `from_user` does to `to_user`."""

    FOLLOW = "f"
    REQUEST = "r"
    BLOCK = "b"
    MUTE = "m"


class Relation(Base):
    """One edge: `from_user` follows, asks to follow, blocks or mutes `to_user`.

    The primary key answers "what is A to B" in one look, whatever the kind.
    The two indexes page through one person's edges, newest first: those that go out, and those that come in.
    """

    __tablename__ = "relations"

    from_user: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    to_user: Mapped[UUID] = mapped_column(ForeignKey("profiles.user_id"), primary_key=True)
    relation_type: Mapped[str] = mapped_column(String(1), primary_key=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    """When a mute ends by itself; it counts for nothing from then on, and is removed soon after."""
    is_merged: Mapped[bool] = mapped_column(server_default=text("false"))
    """Of a follow: the follower's feed reads the followee's posts, which are not written to it any more."""

    __table_args__ = (
        CheckConstraint("relation_type IN ('f', 'r', 'b', 'm')", name="relation_type_known"),
        CheckConstraint("from_user <> to_user", name="not_with_oneself"),
        CheckConstraint("expires_at IS NULL OR relation_type = 'm'", name="only_mutes_expire"),
        CheckConstraint("NOT is_merged OR relation_type = 'f'", name="only_follows_are_merged"),
        Index("ix_relations_from_user_paged", "from_user", "relation_type", "created_at", "to_user"),
        Index("ix_relations_to_user_paged", "to_user", "relation_type", "created_at", "from_user"),
        Index("ix_relations_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        # All that wait for an answer: few, and looked through for accounts that have gone public.
        Index("ix_relations_requests", "to_user", postgresql_where=text("relation_type = 'r'")),
        Index("ix_relations_merged", "from_user", "to_user", postgresql_where=text("is_merged")),
        # Whom a post is written to: short, and empty of those whose feeds read it.
        Index(
            "ix_relations_fanned_out",
            "to_user",
            "created_at",
            "from_user",
            postgresql_where=text("relation_type = 'f' AND NOT is_merged"),
        ),
    )


RELATIONS = cast("Table", Relation.__table__)
"""The table itself, for Core statements."""


def is_in_force(relations: FromClause = RELATIONS) -> ColumnElement[bool]:
    """Hold for edges that count: all but the mutes whose time is up and which nobody has removed yet."""
    return or_(relations.c.expires_at.is_(None), relations.c.expires_at > func.now())


@dataclass(frozen=True, kw_only=True, slots=True)
class Relationship:
    """What one person is to another, said from the first one's side."""

    following: bool = False
    requested: bool = False
    followed_by: bool = False
    requested_by: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
    muting_until: datetime | None = None
    """When the mute ends by itself; None for one that does not, and where there is none."""

    @classmethod
    def of_kinds(
        cls, outgoing: str | None, incoming: str | None, *, muting_until: datetime | None = None
    ) -> Self:
        """Make it of the letters of the edges in force: those that go out, and those that come in."""
        out, back = outgoing or "", incoming or ""
        return cls(
            following="f" in out,
            requested="r" in out,
            followed_by="f" in back,
            requested_by="r" in back,
            blocking="b" in out,
            blocked_by="b" in back,
            muting="m" in out,
            muting_until=muting_until if "m" in out else None,
        )

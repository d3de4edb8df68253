"""A medium from the asked-for upload to the finished photo: one row, one state machine."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from igloo_media.db import Base


class MediaState(StrEnum):
    """Where a medium stands: `pending → uploaded → processing → ready | failed`; `expired`; `deleted`."""

    PENDING = "pending"
    UPLOADED = "uploaded"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"
    DELETED = "deleted"


CLIENT_ID_IN_USE = text("client_id IS NOT NULL AND state NOT IN ('expired', 'deleted')")
"""Which rows hold their client_id: an expired or deleted upload frees it, and its retry is a new upload."""


class MediaItem(Base):
    """One upload, which becomes the media item of the same id."""

    __tablename__ = "media_items"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    client_id: Mapped[str | None] = mapped_column(Text)
    """The client's own name for the file: asking again with it finds this row instead of making another."""
    state: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int]
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    """As announced by the client."""
    content_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of the bytes that arrived: what a takedown refuses to take again."""
    multipart_id: Mapped[str | None] = mapped_column(Text)
    """S3's name for the upload in parts that was begun, until it is completed or given up."""
    alt_text: Mapped[str | None] = mapped_column(Text)
    focal_x: Mapped[float | None]
    """Where the eye falls, from 0 at the left edge to 1 at the right one, of the upright photo."""
    focal_y: Mapped[float | None]
    """Likewise, from the top to the bottom; both or neither."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """Until when S3 takes the upload."""
    due_at: Mapped[datetime | None]
    """When a worker next looks at this row: to sweep a pending one, to claim an uploaded one, or to take over
    a processing one whose worker died (the end of its lease)."""
    turn_at: Mapped[datetime | None]
    """Its place in the line: the earliest is processed first. Later than its arrival when its owner has more
    waiting, so that everybody takes turns."""
    claim_id: Mapped[UUID | None]
    """Names the one claim whose outcome counts: a worker that lost its lease writes over nothing."""
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    uploaded_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    failure_code: Mapped[str | None] = mapped_column(Text)
    failure_detail: Mapped[str | None] = mapped_column(Text)
    width: Mapped[int | None]
    height: Mapped[int | None]
    blurhash: Mapped[str | None] = mapped_column(Text)
    dominant_color: Mapped[str | None] = mapped_column(Text)
    frames: Mapped[int | None]
    """More than one is an animation."""
    receipt: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What was taken out of the file, and what was kept (the privacy receipt)."""
    thumb_version: Mapped[int] = mapped_column(server_default=text("1"))
    """The newest version of the square thumbnail that was ever begun."""
    withheld_at: Mapped[datetime | None]
    """Since when a moderator's decision keeps it from being fetched."""
    post_id: Mapped[UUID | None]
    """The post that shows it, as the social service announced; until then it may be collected."""
    closed_at: Mapped[datetime | None]
    """When it expired or was deleted."""

    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'uploaded', 'processing', 'ready', 'failed', 'expired', 'deleted')",
            name="state_known",
        ),
        CheckConstraint(
            "state NOT IN ('pending', 'uploaded', 'processing') OR due_at IS NOT NULL",
            name="unfinished_is_due",
        ),
        CheckConstraint("state <> 'processing' OR claim_id IS NOT NULL", name="processing_is_claimed"),
        CheckConstraint("state <> 'failed' OR failure_code IS NOT NULL", name="failed_says_why"),
        CheckConstraint(
            "state <> 'ready' OR (width IS NOT NULL AND height IS NOT NULL AND blurhash IS NOT NULL"
            " AND dominant_color IS NOT NULL)",
            name="ready_is_whole",
        ),
        CheckConstraint("(focal_x IS NULL) = (focal_y IS NULL)", name="focal_point_whole"),
        Index(
            "uq_media_items_client",
            "owner_id",
            "client_id",
            unique=True,
            postgresql_where=CLIENT_ID_IN_USE,
        ),
        # Few rows at any time: what a person has open is counted before more is taken.
        Index(
            "ix_media_items_open",
            "owner_id",
            postgresql_where=text("state IN ('pending', 'uploaded', 'processing')"),
        ),
        Index("ix_media_items_owner", "owner_id", "created_at", "id"),
        Index("ix_media_items_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "ix_media_items_turn",
            text("turn_at NULLS FIRST"),
            "id",
            postgresql_where=text("state IN ('uploaded', 'processing')"),
        ),
        Index("ix_media_items_finished", "finished_at", postgresql_where=text("finished_at IS NOT NULL")),
        Index(
            "ix_media_items_unattached",
            "finished_at",
            postgresql_where=text("state IN ('ready', 'failed') AND post_id IS NULL"),
        ),
        Index("ix_media_items_closed", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
    )

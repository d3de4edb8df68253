"""Uploads in parts on their way out of S3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.statements import Statement
from igloo_media.models import AbandonedParts
from igloo_media.policies.objects import original_key


@dataclass(frozen=True, kw_only=True)
class Abandoned:
    """An upload in parts that nobody will join."""

    object_key: str
    multipart_id: str


def abandon_parts(
    session: Session, *, owner_id: UUID, upload_id: UUID, multipart_id: str, now: datetime
) -> None:
    """Have an upload in parts aborted once the transaction has committed."""
    key = original_key(owner_id, upload_id)
    _ABANDON.run(session, {"multipart_id": multipart_id, "key": key, "now": now})


def leave_parts(session: Session, *, owner_id: UUID, upload_id: UUID, now: datetime) -> None:
    """Take an upload's parts from it, if it has any, likewise; the caller holds its row lock.

    Those that were joined leave nothing to abort, which S3 is told all the same: of two that were begun, one
    may not have been.
    """
    key = original_key(owner_id, upload_id)
    _LEAVE.run(session, {"id": upload_id, "key": key, "now": now})


def due_abandoned(reader: Reader, *, now: datetime, limit: int) -> list[Abandoned]:
    """Return uploads in parts to abort, the oldest first."""
    due = select(AbandonedParts.object_key, AbandonedParts.multipart_id).where(AbandonedParts.due_at <= now)
    rows = reader.execute(due.order_by(AbandonedParts.due_at).limit(limit))
    return [Abandoned(**row._mapping) for row in rows]


def forget_abandoned(session: Session, multipart_ids: Sequence[str]) -> None:
    """Strike those off of which S3 holds nothing any more."""
    session.execute(delete(AbandonedParts).where(AbandonedParts.multipart_id.in_(multipart_ids)))


_ABANDON = Statement("""
INSERT INTO abandoned_parts (multipart_id, object_key, due_at)
VALUES (%(multipart_id)s, %(key)s, %(now)s) ON CONFLICT DO NOTHING
""")
_LEAVE = Statement("""
WITH taken AS (
    UPDATE media_items SET multipart_id = NULL WHERE id = %(id)s AND multipart_id IS NOT NULL
    RETURNING old.multipart_id
)
INSERT INTO abandoned_parts (multipart_id, object_key, due_at)
SELECT multipart_id, %(key)s, %(now)s FROM taken ON CONFLICT DO NOTHING
""")

"""Uploads in parts on their way out of S3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from igloo_common.statements import Statement
from igloo_media.models import AbandonedParts
from igloo_media.policies.objects import original_key
from igloo_media.policies.uploads import ABORT_AGAIN_AFTER


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


def take_abandoned(session: Session, *, now: datetime) -> Abandoned | None:
    """Return the upload in parts whose abortion is the most overdue, and put off the next try of it.

    So one of which S3 will not hear is behind all others from then on, and two workers share the work.
    """
    taken = _TAKE.row(session, {"now": now, "again_at": now + ABORT_AGAIN_AFTER})
    return None if taken is None else Abandoned(object_key=taken[0], multipart_id=taken[1])


def forget_abandoned(session: Session, multipart_ids: Sequence[str]) -> None:
    """Strike those off of which S3 holds nothing any more."""
    session.execute(delete(AbandonedParts).where(AbandonedParts.multipart_id.in_(multipart_ids)))


_ABANDON = Statement("""
INSERT INTO abandoned_parts (multipart_id, object_key, due_at)
VALUES (%(multipart_id)s, %(key)s, %(now)s) ON CONFLICT DO NOTHING
""")
_TAKE = Statement("""
WITH next AS MATERIALIZED (
    SELECT multipart_id FROM abandoned_parts WHERE due_at <= %(now)s
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE abandoned_parts AS parts SET due_at = %(again_at)s
FROM next WHERE parts.multipart_id = next.multipart_id
RETURNING parts.object_key, parts.multipart_id
""")
_LEAVE = Statement("""
WITH taken AS (
    UPDATE media_items SET multipart_id = NULL WHERE id = %(id)s AND multipart_id IS NOT NULL
    RETURNING old.multipart_id
)
INSERT INTO abandoned_parts (multipart_id, object_key, due_at)
SELECT multipart_id, %(key)s, %(now)s FROM taken ON CONFLICT DO NOTHING
""")

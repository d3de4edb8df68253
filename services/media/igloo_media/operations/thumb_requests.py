"""Asking for a thumbnail to be cut anew; who asks holds the lock of the photo's row."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from igloo_media.models import ThumbTask
from igloo_media.operations.wakes import PHOTOS_CHANNEL, wake_lane


def request_thumb(session: Session, media_id: UUID, *, now: datetime) -> None:
    """Have a ready photo's thumbnail cut around its newest focal point.

    A worker that is at it sees at its end that the point was moved. Its claim stays known, for whoever must
    know that nobody writes (see erasures).
    """
    made = insert(ThumbTask).values(media_id=media_id, due_at=now)
    unless_at_it = or_(ThumbTask.claim_id.is_(None), ThumbTask.due_at <= now)
    anew = {"due_at": now, "attempts": 0}
    session.execute(
        made.on_conflict_do_update(index_elements=[ThumbTask.media_id], set_=anew, where=unless_at_it)
    )
    wake_lane(session, PHOTOS_CHANNEL)


def drop_thumb_tasks(session: Session, media_ids: Collection[UUID]) -> None:
    """Take back what nobody is at, of photos that end; a worker that is at one sees it by itself."""
    waiting = ThumbTask.media_id.in_(media_ids), ThumbTask.claim_id.is_(None)
    session.execute(delete(ThumbTask).where(*waiting))

"""Looking after uploads and photos that everybody forgot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from igloo_media.models import MediaItem, MediaState
from igloo_media.operations.abandonments import leave_parts
from igloo_media.operations.items import announce_failure, close_item
from igloo_media.operations.uploads import expire_upload, promote_upload
from igloo_media.policies.items import CLOSED_ROW_LIFETIME, DELETED_CODE, DELETED_DETAIL, UNATTACHED_LIFETIME
from igloo_media.policies.uploads import SWEEP_AGAIN_AFTER, settled_at


@dataclass(frozen=True, kw_only=True)
class ForgottenUpload:
    """A pending upload that its client has not completed in time."""

    upload_id: UUID
    owner_id: UUID
    size_bytes: int
    multipart_id: str | None


def take_forgotten(session: Session, *, now: datetime, limit: int) -> list[ForgottenUpload]:
    """Return uploads to look for in S3, and put off the next look, so that two sweepers share the work."""
    due = (
        select(MediaItem.id)
        .where(MediaItem.state == MediaState.PENDING, MediaItem.due_at <= now)
        .order_by(MediaItem.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = session.execute(
        update(MediaItem)
        .where(MediaItem.id.in_(due.scalar_subquery()))
        .values(due_at=now + SWEEP_AGAIN_AFTER)
        .returning(
            MediaItem.id.label("upload_id"),
            MediaItem.owner_id,
            MediaItem.size_bytes,
            MediaItem.multipart_id,
        )
    )
    return [ForgottenUpload(**row._mapping) for row in taken]


def settle_forgotten(session: Session, *, upload_id: UUID, stored_bytes: int | None, now: datetime) -> None:
    """Promote an upload that did arrive, and expire one that no longer can.

    `stored_bytes` is the object's size, looked up before the transaction; none when there is no object.
    """
    item = session.scalars(
        select(MediaItem)
        .where(MediaItem.id == upload_id, MediaItem.state == MediaState.PENDING)
        .with_for_update()
    ).one_or_none()
    if item is None:
        return
    if stored_bytes == item.size_bytes:
        promote_upload(session, item.id, now=now)
        leave_parts(session, owner_id=item.owner_id, upload_id=item.id, now=now)
    elif now > settled_at(item.expires_at):
        expire_upload(session, item, now=now)


def collect_unattached(session: Session, *, now: datetime, limit: int) -> int:
    """Delete photos that no post has shown for a day; return how many."""
    unattached = (
        select(MediaItem)
        .where(
            MediaItem.state.in_((MediaState.READY, MediaState.FAILED)),
            MediaItem.post_id.is_(None),
            MediaItem.finished_at <= now - UNATTACHED_LIFETIME,
        )
        .order_by(MediaItem.finished_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    items = session.scalars(unattached).all()
    # Each ends in its owner's count, and holds that: two collectors take owners in the same order.
    for item in sorted(items, key=lambda item: item.owner_id):
        close_item(session, item, now=now)
        announce_failure(session, item, code=DELETED_CODE, detail=DELETED_DETAIL, now=now)
    return len(items)


def forget_closed(session: Session, *, now: datetime) -> int:
    """Drop the rows of expired and deleted items once nobody can ask about them; return how many."""
    # What somebody holds at this moment goes next time: who waits for nothing can be part of no deadlock.
    old = (
        select(MediaItem.id)
        .where(MediaItem.closed_at <= now - CLOSED_ROW_LIFETIME)
        .order_by(MediaItem.id)
        .with_for_update(skip_locked=True)
    )
    dropped = delete(MediaItem).where(MediaItem.id.in_(old)).returning(MediaItem.id)
    return len(session.scalars(dropped).all())

"""Thumbnails that are cut anew: asked for by a new focal point, cut by one worker at a time under a lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_media.events import RenditionFacts
from igloo_media.models import MediaItem, MediaState, ThumbTask
from igloo_media.operations.items import announce_ready
from igloo_media.operations.purges import note_purges
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.usage import count_bytes
from igloo_media.policies.items import THUMB
from igloo_media.policies.objects import rendition_key, rendition_path
from igloo_media.policies.processing import LEASE
from igloo_media.policies.purges import replaced_at


@dataclass(frozen=True, kw_only=True)
class ThumbClaim:
    """One worker's right to cut a photo's thumbnail, until its lease ends; no other writes this version."""

    claim_id: UUID
    media_id: UUID
    owner_id: UUID
    version: int
    focal_x: float | None
    focal_y: float | None
    attempts: int

    @property
    def focal_point(self) -> tuple[float, float] | None:
        """Where the eye falls, across and down the upright photo; none is the middle."""
        if self.focal_x is None or self.focal_y is None:
            return None
        return self.focal_x, self.focal_y

    @property
    def key(self) -> str:
        """The object to write."""
        return rendition_key(self.media_id, THUMB, self.version)


def claim_thumb(session: Session, *, now: datetime) -> ThumbClaim | None:
    """Claim the next photo whose thumbnail is to be cut, or one whose worker let its lease run out."""
    # The photo is locked before the task, as everybody does who changes a task.
    media_id = session.scalars(
        select(MediaItem.id)
        .join(ThumbTask, ThumbTask.media_id == MediaItem.id)
        .where(ThumbTask.due_at <= now, MediaItem.state == MediaState.READY)
        .order_by(ThumbTask.due_at)
        .limit(1)
        .with_for_update(of=MediaItem, skip_locked=True)
    ).one_or_none()
    if media_id is None:
        return None
    claim_id = new_id()
    lease = {"media_id": media_id, "claim_id": claim_id, "now": now, "lease_end": now + LEASE}
    task = _CLAIM.row(session, lease)
    if task is None:
        return None
    attempts, was_lost = task
    begun = _BEGIN.row(session, {"media_id": media_id, "name": THUMB, "was_lost": was_lost})
    assert begun is not None  # noqa: S101 - its row is locked
    owner_id, version, focal_x, focal_y = begun
    return ThumbClaim(
        claim_id=claim_id,
        media_id=media_id,
        owner_id=owner_id,
        version=version,
        focal_x=focal_x,
        focal_y=focal_y,
        attempts=attempts,
    )


def finish_thumb(session: Session, claim: ThumbClaim, thumb: RenditionFacts, *, now: datetime) -> bool:
    """Show the thumbnail that was uploaded; False when the claim, the photo or the point is another by now.

    Where the point was moved meanwhile, the newest is cut next.
    """
    item = _held_item(session, claim, now=now)
    if item is None:
        return False
    if (item.focal_x, item.focal_y) != (claim.focal_x, claim.focal_y):
        _let_go(session, claim, due_at=now, attempts=0)
        return False
    _replace(session, claim, thumb, now=now)
    _end(session, claim)
    announce_ready(session, owner_id=claim.owner_id, media_id=claim.media_id, now=now)
    return True


def give_back_thumb(
    session: Session, claim: ThumbClaim, *, pause: timedelta, counts_as_attempt: bool, now: datetime
) -> None:
    """Let the thumbnail be cut after a pause; an outage is no fault of it and costs it no attempt."""
    if _held_item(session, claim, now=now) is not None:
        attempts = claim.attempts if counts_as_attempt else claim.attempts - 1
        _let_go(session, claim, due_at=now + pause, attempts=attempts)


def give_up_thumb(session: Session, claim: ThumbClaim, *, now: datetime) -> None:
    """Leave the thumbnail as it was, and announce the point, which readers can still crop by."""
    item = _held_item(session, claim, now=now)
    if item is None:
        return
    if (item.focal_x, item.focal_y) != (claim.focal_x, claim.focal_y):
        _let_go(session, claim, due_at=now, attempts=0)
        return
    _end(session, claim)
    announce_ready(session, owner_id=claim.owner_id, media_id=claim.media_id, now=now)


def _held_item(session: Session, claim: ThumbClaim, *, now: datetime) -> MediaItem | None:
    """Lock the photo and return it; none when it was closed, or another worker has taken its task over.

    What was written of the thumbnail is then removed: nobody else writes that version.
    """
    item = session.get(MediaItem, claim.media_id, with_for_update=True, populate_existing=True)
    held = session.scalars(select(ThumbTask.media_id).where(*_held_by(claim))).one_or_none()
    if item is not None and item.state == MediaState.READY and held is not None:
        return item
    _end(session, claim)
    schedule_removals(session, keys=[claim.key], due_at=now)
    return None


def _let_go(session: Session, claim: ThumbClaim, *, due_at: datetime, attempts: int) -> None:
    freed = update(ThumbTask).where(*_held_by(claim))
    session.execute(freed.values(claim_id=None, due_at=due_at, attempts=attempts))


def _replace(session: Session, claim: ThumbClaim, thumb: RenditionFacts, *, now: datetime) -> None:
    """Let the new version take the place of the old one, and of all that were begun in between."""
    [(old_version, grown)] = _REPLACE.rows(
        session,
        {
            "media_id": claim.media_id,
            "name": THUMB,
            "version": claim.version,
            "width": thumb.width,
            "height": thumb.height,
            "content_type": thumb.content_type,
            "size_bytes": thumb.size_bytes,
        },
    )
    count_bytes(session, owner_id=claim.owner_id, more=grown)
    after = replaced_at(now)
    keys = [rendition_key(claim.media_id, THUMB, version) for version in range(old_version, claim.version)]
    schedule_removals(session, keys=keys, due_at=after)
    # All addresses from before lead to the newest, and caches have kept under each what was the newest then.
    paths = [rendition_path(claim.media_id, THUMB, version) for version in range(1, claim.version)]
    note_purges(session, paths=paths, due_at=after)


def _end(session: Session, claim: ThumbClaim) -> None:
    session.execute(delete(ThumbTask).where(*_held_by(claim)))


def _held_by(claim: ThumbClaim) -> tuple[ColumnElement[bool], ...]:
    return ThumbTask.media_id == claim.media_id, ThumbTask.claim_id == claim.claim_id


_CLAIM = Statement("""
UPDATE thumb_tasks SET claim_id = %(claim_id)s, attempts = attempts + 1, due_at = %(lease_end)s
WHERE media_id = %(media_id)s AND due_at <= %(now)s
RETURNING attempts, old.claim_id IS NOT NULL
""")
# An object that may have been read is never written over, nor one that a worker may still be writing which
# was taken for dead. A version that its worker gave back is neither: an outage does not use up versions.
_BEGIN = Statement("""
UPDATE media_items SET thumb_version = thumb_version + (%(was_lost)s OR thumb_version = (
    SELECT version FROM renditions WHERE media_id = %(media_id)s AND name = %(name)s
))::integer
WHERE id = %(media_id)s RETURNING owner_id, thumb_version, focal_x, focal_y
""")
_REPLACE = Statement("""
UPDATE renditions SET version = %(version)s, width = %(width)s, height = %(height)s,
    content_type = %(content_type)s, size_bytes = %(size_bytes)s
WHERE media_id = %(media_id)s AND name = %(name)s
RETURNING old.version, new.size_bytes - old.size_bytes
""")

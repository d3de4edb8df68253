"""The turn of a photo: claimed by one worker under a lease, then ready, failed or given back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from igloo_common.ids import new_id
from igloo_common.statements import Statement
from igloo_media.events import RenditionFacts
from igloo_media.models import MediaItem, MediaState, Rendition
from igloo_media.operations.items import announce_failure, announce_ready
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.thumb_requests import request_thumb
from igloo_media.operations.usage import count_photo
from igloo_media.policies.objects import original_key, rendition_keys
from igloo_media.policies.processing import LEASE
from igloo_media.policies.uploads import settled_at


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One worker's right to process one photo, until its lease ends."""

    claim_id: UUID
    media_id: UUID
    owner_id: UUID
    size_bytes: int
    sha256: bytes | None
    attempts: int
    uploaded_at: datetime
    focal_x: float | None = None
    focal_y: float | None = None

    @property
    def focal_point(self) -> tuple[float, float] | None:
        """Where the eye falls, across and down the upright photo; none is the middle."""
        if self.focal_x is None or self.focal_y is None:
            return None
        return self.focal_x, self.focal_y


@dataclass(frozen=True, kw_only=True)
class RenderedPhoto:
    """What a photo turned out to be; its renditions lie in S3 already."""

    content_sha256: bytes
    """Of the file that arrived."""
    width: int
    height: int
    frames: int
    receipt: Mapping[str, Sequence[str]]
    """The kinds of things, by `removed` and `kept`, that the file carried besides its pixels."""
    blurhash: str
    dominant_color: str
    renditions: Sequence[RenditionFacts]


def claim_next(session: Session, *, now: datetime) -> Claim | None:
    """Claim the next photo, or one whose worker let its lease run out; none when nothing is due.

    Owners take turns: each photo has got the time of its own when it arrived (`turn_at`), and the earliest
    comes first.
    """
    values = {"now": now, "claim_id": new_id(), "leased_until": now + LEASE}
    claimed = _CLAIM.row(session, values)
    return None if claimed is None else Claim(**dict(zip(_CLAIMED, claimed, strict=True)))


def finish_ready(session: Session, claim: Claim, photo: RenderedPhoto, *, now: datetime) -> bool:
    """Take a photo as ready and announce it; False when the claim is no longer the one that counts."""
    values = {
        "state": MediaState.READY,
        "content_sha256": photo.content_sha256,
        "width": photo.width,
        "height": photo.height,
        "frames": photo.frames,
        "receipt": dict(photo.receipt),
        "blurhash": photo.blurhash,
        "dominant_color": photo.dominant_color,
    }
    item = _finished(session, claim, now=now, values=values)
    if item is None:
        return False
    if (item.focal_x, item.focal_y) != (claim.focal_x, claim.focal_y):
        request_thumb(session, claim.media_id, now=now)
    session.execute(
        insert(Rendition),
        [
            {
                "media_id": claim.media_id,
                "name": rendition.name,
                "width": rendition.width,
                "height": rendition.height,
                "content_type": rendition.content_type,
                "size_bytes": rendition.size_bytes,
                "is_animated": rendition.is_animated,
            }
            for rendition in photo.renditions
        ],
    )
    stored_bytes = sum(rendition.size_bytes for rendition in photo.renditions)
    count_photo(session, owner_id=claim.owner_id, stored_bytes=stored_bytes)
    announce_ready(session, owner_id=claim.owner_id, media_id=claim.media_id, now=now)
    return True


def finish_failed(session: Session, claim: Claim, *, code: str, detail: str, now: datetime) -> bool:
    """Take a photo as failed and announce it; False when the claim is no longer the one that counts."""
    values = {"state": MediaState.FAILED, "failure_code": code, "failure_detail": detail}
    item = _finished(session, claim, now=now, values=values)
    if item is None:
        return False
    announce_failure(session, item, code=code, detail=detail, now=now)
    return True


def give_back(
    session: Session, claim: Claim, *, pause: timedelta, counts_as_attempt: bool, now: datetime
) -> bool:
    """Let the photo be claimed again after a pause; an outage is no fault of it and costs it no attempt.

    False when the claim is no longer the one that counts.
    """
    given_back = session.scalars(
        update(MediaItem)
        .where(*_held_by(claim))
        .values(
            state=MediaState.UPLOADED,
            claim_id=None,
            due_at=now + pause,
            attempts=claim.attempts if counts_as_attempt else claim.attempts - 1,
        )
        .returning(MediaItem.id)
    )
    return given_back.one_or_none() is not None


def let_go(session: Session, claim: Claim, *, now: datetime) -> None:
    """Say that the worker writes nothing more of a photo that was closed under it; what it wrote goes.

    Does nothing when another worker has taken the photo over: the renditions are then that one's.
    """
    closed = session.scalars(
        update(MediaItem)
        .where(
            MediaItem.id == claim.media_id,
            MediaItem.claim_id == claim.claim_id,
            MediaItem.state.in_((MediaState.DELETED, MediaState.EXPIRED)),
        )
        .values(claim_id=None, due_at=None)
        .returning(MediaItem.id)
    )
    if closed.one_or_none() is not None:
        schedule_removals(session, keys=rendition_keys(claim.media_id), due_at=now)


_CLAIMED = (
    "claim_id",
    "media_id",
    "owner_id",
    "size_bytes",
    "sha256",
    "attempts",
    "uploaded_at",
    "focal_x",
    "focal_y",
)
# The first entry of the index of turns that nobody holds, however many wait and however many are done.
# A row without a turn is from a version of this program that gave none: it has waited longest.
_CLAIM = Statement("""
WITH next AS MATERIALIZED (
    SELECT id FROM media_items WHERE state IN ('uploaded', 'processing') AND due_at <= %(now)s
    ORDER BY turn_at NULLS FIRST, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE media_items AS item SET state = 'processing', claim_id = %(claim_id)s, attempts = item.attempts + 1,
    due_at = %(leased_until)s
FROM next WHERE item.id = next.id
RETURNING item.claim_id, item.id, item.owner_id, item.size_bytes, item.sha256, item.attempts,
    item.uploaded_at, item.focal_x, item.focal_y
""")


def _finished(session: Session, claim: Claim, *, now: datetime, values: dict[str, Any]) -> MediaItem | None:
    """Compare and set: only the claim that holds the photo ends it; its original goes, and goes again."""
    item = session.scalars(
        update(MediaItem)
        .where(*_held_by(claim))
        .values(finished_at=now, due_at=None, claim_id=None, **values)
        .returning(MediaItem)
    ).one_or_none()
    if item is not None:
        original = [original_key(claim.owner_id, claim.media_id)]
        schedule_removals(session, keys=original, due_at=now)
        schedule_removals(session, keys=original, due_at=settled_at(item.expires_at))
    return item


def _held_by(claim: Claim) -> tuple[Any, ...]:
    return (
        MediaItem.id == claim.media_id,
        MediaItem.state == MediaState.PROCESSING,
        MediaItem.claim_id == claim.claim_id,
    )

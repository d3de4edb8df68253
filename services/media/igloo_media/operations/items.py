"""Changes to media items: deleting, describing, attaching."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from igloo_common.errors import Conflict, PreconditionFailed
from igloo_common.outbox import emit
from igloo_media.events import MediaFailed, MediaReady, RenditionFacts, focal_point_of
from igloo_media.models import MediaItem, MediaState
from igloo_media.operations.abandonments import leave_parts
from igloo_media.operations.locks import lock_items
from igloo_media.operations.purges import withdraw_paths
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.thumb_requests import drop_thumb_tasks, request_thumb
from igloo_media.operations.usage import discount_photo
from igloo_media.policies.items import DELETED_CODE, DELETED_DETAIL, edit_version, may_delete
from igloo_media.policies.objects import original_key, rendition_keys, rendition_paths
from igloo_media.policies.processing import LEASE
from igloo_media.policies.uploads import settled_at
from igloo_media.queries.items import MediaNotFound, find_item


class MediaAttached(Conflict):
    """A post shows the photo: it goes with the post, not alone."""


class MediaChanged(PreconditionFailed):
    """The photo is not in the version that the editor read."""


@dataclass(frozen=True, kw_only=True)
class ItemEdit:
    """What an owner changes of what they say of a photo, by column; what is not in it stays."""

    values: Mapping[str, str | float | None]


def delete_item(session: Session, *, owner_id: UUID, media_id: UUID, now: datetime) -> None:
    """Delete a photo or an upload that no post shows, and tell whoever may be waiting for it.

    Raises:
        MediaNotFound: there is none, it is deleted already, or it is somebody else's.
        MediaAttached: a post shows it.
    """
    item = lock_item(session, owner_id=owner_id, media_id=media_id)
    if not may_delete(post_id=item.post_id):
        raise MediaAttached("A post shows this photo: delete the post.")
    close_item(session, item, now=now)
    announce_failure(session, item, code=DELETED_CODE, detail=DELETED_DETAIL, now=now)


def edit_item(
    session: Session,
    *,
    owner_id: UUID,
    media_id: UUID,
    edit: ItemEdit,
    expected_versions: Container[int] | None = None,
    now: datetime,
) -> None:
    """Change what the owner says of a photo, and announce one that is ready again, so that posts follow.

    `expected_versions` holds the versions that the editor may have read; None asks for none. A new focal
    point of a ready photo is announced with the thumbnail that shows it, which a worker cuts.

    Raises:
        MediaNotFound: there is none, it is deleted, or it is somebody else's.
        MediaChanged: it is in another version than the editor read.
    """
    item = lock_item(session, owner_id=owner_id, media_id=media_id)
    version = edit_version(item.alt_text, item.focal_x, item.focal_y)
    if expected_versions is not None and version not in expected_versions:
        raise MediaChanged("The photo has been changed since you read it.")
    said, point = item.alt_text, (item.focal_x, item.focal_y)
    for column, value in edit.values.items():
        setattr(item, column, value)
    session.flush()
    if item.state != MediaState.READY:
        return
    if (item.focal_x, item.focal_y) != point:
        request_thumb(session, media_id, now=now)
    if item.alt_text != said:
        announce_ready(session, owner_id=owner_id, media_id=media_id, now=now)


def attach_items(session: Session, *, owner_id: UUID, media_ids: Collection[UUID], post_id: UUID) -> None:
    """Note which post shows these photos of its author; they are no longer collected."""
    photos = lock_items(
        session,
        MediaItem.id.in_(media_ids),
        MediaItem.owner_id == owner_id,
        MediaItem.state != MediaState.DELETED,
    )
    session.execute(update(MediaItem).where(MediaItem.id.in_(photos)).values(post_id=post_id))


def delete_items_of_post(
    session: Session, *, owner_id: UUID, media_ids: Collection[UUID], post_id: UUID, now: datetime
) -> None:
    """Delete the author's photos that a deleted post showed; those that another post shows stay."""
    shown = (
        select(MediaItem)
        .where(
            MediaItem.id.in_(media_ids),
            MediaItem.owner_id == owner_id,
            MediaItem.state != MediaState.DELETED,
            (MediaItem.post_id == post_id) | MediaItem.post_id.is_(None),
        )
        .order_by(MediaItem.id)
        .with_for_update()
    )
    for item in session.scalars(shown):
        close_item(session, item, now=now)


def lock_item(session: Session, *, owner_id: UUID, media_id: UUID) -> MediaItem:
    """Return an item with its row locked.

    Raises:
        MediaNotFound: there is none, it is deleted, or it is somebody else's.
    """
    item = session.scalars(
        select(MediaItem)
        .where(
            MediaItem.id == media_id, MediaItem.owner_id == owner_id, MediaItem.state != MediaState.DELETED
        )
        .with_for_update()
    ).one_or_none()
    if item is None:
        raise MediaNotFound("There is no such photo.")
    return item


def close_item(
    session: Session, item: MediaItem, *, now: datetime, state: MediaState = MediaState.DELETED
) -> None:
    """End an item and have its objects removed; the caller holds its row lock.

    A worker may be writing its renditions at this moment, and a client its original: what is there now goes
    now, what may still come goes when nothing can come any more. The claim of such a worker stays on the row,
    for whoever must know that nobody writes (see erasures), until the worker lets go or its lease ends.
    """
    if item.state == MediaState.READY:
        discount_photo(session, owner_id=item.owner_id, media_id=item.id)
    keys = [
        original_key(item.owner_id, item.id),
        *rendition_keys(item.id, thumb_version=item.thumb_version),
    ]
    schedule_removals(session, keys=keys, due_at=now)
    schedule_removals(session, keys=keys, due_at=max(settled_at(item.expires_at), now + LEASE))
    if item.state == MediaState.READY:
        drop_thumb_tasks(session, [item.id])
        withdraw_paths(session, paths=rendition_paths(item.id, thumb_version=item.thumb_version), now=now)
    leave_parts(session, owner_id=item.owner_id, upload_id=item.id, now=now)
    item.state, item.closed_at = state, now
    if item.claim_id is None:
        item.due_at = None
    session.flush()


def announce_ready(session: Session, *, owner_id: UUID, media_id: UUID, now: datetime) -> None:
    """Announce a ready item, whose row and renditions are written already."""
    found = find_item(session, owner_id=owner_id, media_id=media_id)
    facts = MediaReady(
        media_id=media_id,
        owner_id=owner_id,
        width=found.item.width,
        height=found.item.height,
        blurhash=found.item.blurhash,
        dominant_color=found.item.dominant_color,
        alt_text=found.item.alt_text,
        renditions=tuple(RenditionFacts(**each._asdict()) for each in found.renditions),
        focal_point=focal_point_of(found.item.focal_x, found.item.focal_y),
    )
    emit(session, facts, now=now)


def announce_failure(session: Session, item: MediaItem, *, code: str, detail: str, now: datetime) -> None:
    """Announce that an item will not be shown."""
    emit(
        session,
        MediaFailed(media_id=item.id, owner_id=item.owner_id, code=code, detail=detail),
        now=now,
    )

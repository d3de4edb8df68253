"""Erasing a person: rows are emptied first, and go once nothing of theirs is left in S3."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, column, delete, exists, select, table, update
from sqlalchemy.orm import Session

from igloo_common.database import Reader
from igloo_common.outbox import emit
from igloo_common.statements import Statement
from igloo_media.events import AccountErased, Removed
from igloo_media.models import AccountTask, MediaItem, MediaState, Rendition, TaskKind, ThumbTask
from igloo_media.operations.account_tasks import Task
from igloo_media.operations.locks import lock_items
from igloo_media.operations.purges import withdraw_paths
from igloo_media.operations.removals import schedule_removals
from igloo_media.operations.thumb_requests import drop_thumb_tasks
from igloo_media.operations.usage import forget_usage
from igloo_media.policies.objects import original_key, rendition_paths
from igloo_media.policies.uploads import settled_at

ARRIVED = (MediaState.UPLOADED, MediaState.PROCESSING)
CLOSED = (MediaState.DELETED, MediaState.EXPIRED)
# No upload has no bytes: a size of 0 marks a row that says nothing any more but whose it was.
EMPTY = {
    "content_type": "",
    "size_bytes": 0,
    "client_id": None,
    "sha256": None,
    "content_sha256": None,
    "multipart_id": None,
    "alt_text": None,
    "focal_x": None,
    "focal_y": None,
    "uploaded_at": None,
    "finished_at": None,
    "failure_code": None,
    "failure_detail": None,
    "width": None,
    "height": None,
    "blurhash": None,
    "dominant_color": None,
    "frames": None,
    "receipt": None,
    "withheld_at": None,
    "post_id": None,
}


def empty_items(session: Session, task: Task, *, now: datetime, limit: int) -> int:
    """Close and empty the next items of the person, and return how many these are.

    From the commit on they are shown to nobody. Their claims stay, as with `close_item`. A target that S3
    still takes keeps its removal for the time when it no longer does: that guard, and not this task, waits
    the hour.
    """
    items = session.execute(
        select(MediaItem.id, MediaItem.state, MediaItem.expires_at, MediaItem.thumb_version)
        .where(MediaItem.owner_id == task.account_id, MediaItem.size_bytes > 0)
        .order_by(MediaItem.id)
        .limit(limit)
        .with_for_update()
    ).all()
    if items:
        _guard_targets(session, task.account_id, items, now=now)
        _count(session, task, items)
        _withdraw(session, items, now=now)
        ids = [item.id for item in items]
        session.execute(delete(Rendition).where(Rendition.media_id.in_(ids)))
        drop_thumb_tasks(session, ids)
        forget_usage(session, task.account_id)
        session.execute(update(MediaItem).where(MediaItem.id.in_(ids)).values(**EMPTY, **_closed(now)))
    return len(items)


def emptied_items(reader: Reader, account_id: UUID, *, now: datetime, limit: int) -> list[UUID]:
    """Return emptied items whose objects may go now: nobody can be writing any."""
    emptied = select(MediaItem.id).where(
        MediaItem.owner_id == account_id,
        MediaItem.size_bytes == 0,
        MediaItem.claim_id.is_(None) | (MediaItem.due_at <= now),
        ~exists().where(ThumbTask.media_id == MediaItem.id, ThumbTask.due_at > now),
    )
    return list(reader.execute(emptied.order_by(MediaItem.id).limit(limit)).scalars())


def drop_items(session: Session, media_ids: Collection[UUID]) -> None:
    """Drop emptied items that have no objects any more."""
    emptied = lock_items(session, MediaItem.id.in_(media_ids), MediaItem.size_bytes == 0)
    session.execute(delete(MediaItem).where(MediaItem.id.in_(emptied)))


def is_waiting(reader: Reader, account_id: UUID) -> bool:
    """Tell whether a worker may still be writing: a photo of the person, or an export."""
    busy = exists().where(MediaItem.owner_id == account_id) | exists().where(
        AccountTask.account_id == account_id,
        AccountTask.kind == TaskKind.EXPORT,
        AccountTask.due_at.is_not(None),
    )
    return bool(reader.execute(select(busy)).scalar_one())


def export_prefixes(reader: Reader, account_id: UUID) -> list[str]:
    """Return where the person's exports were collected."""
    exports = select(AccountTask.parts_prefix).where(
        AccountTask.account_id == account_id, AccountTask.kind == TaskKind.EXPORT
    )
    return [prefix for prefix in reader.execute(exports).scalars() if prefix]


def finish_erasure(session: Session, task: Task, *, now: datetime) -> bool:
    """Say that nothing is held any more; the caller has seen that no object is left.

    False when somebody else has said so, or an item has come up meanwhile.
    """
    if is_waiting(session, task.account_id):
        return False
    counts = session.execute(
        update(AccountTask)
        .where(AccountTask.id == task.id, AccountTask.finished_at.is_(None))
        .values(finished_at=now, due_at=None)
        .returning(AccountTask.items, AccountTask.objects)
    ).one_or_none()
    if counts is None:
        return False
    session.execute(
        delete(AccountTask).where(
            AccountTask.account_id == task.account_id, AccountTask.kind == TaskKind.EXPORT
        )
    )
    forget_usage(session, task.account_id)
    _forget_traces(session, task.account_id)
    erased = AccountErased(
        account_id=task.account_id,
        deletion_id=task.id,
        removed=(
            Removed(kind="media_items", count=counts.items),
            Removed(kind="objects", count=counts.objects),
        ),
        erased_at=now,
    )
    emit(session, erased, now=now)
    return True


def _forget_traces(session: Session, account_id: UUID) -> None:
    """Delete what the common tables keep of the person: kept replies, and announcements with alt texts.

    Announcements that still wait for the broker go two weeks after they are sent, as all do. What other
    services have told this one names ids alone.
    """
    session.execute(delete(_KEPT_REPLIES).where(_KEPT_REPLIES.c.subject == str(account_id)))
    _FORGET_ANNOUNCEMENTS.run(session, {"account_id": account_id})


def _guard_targets(session: Session, account_id: UUID, items: Collection[Row[Any]], *, now: datetime) -> None:
    for item in items:
        if item.state not in CLOSED and settled_at(item.expires_at) > now:
            key = original_key(account_id, item.id)
            schedule_removals(session, keys=[key], due_at=settled_at(item.expires_at))


def _withdraw(session: Session, items: Collection[Row[Any]], *, now: datetime) -> None:
    ready = [item for item in items if item.state == MediaState.READY]
    paths = [path for item in ready for path in rendition_paths(item.id, thumb_version=item.thumb_version)]
    withdraw_paths(session, paths=paths, now=now)


def _count(session: Session, task: Task, items: Collection[Row[Any]]) -> None:
    """Count what goes, as the rows know it: exactly once, wherever a worker dies."""
    ready = [item.id for item in items if item.state == MediaState.READY]
    renditions = session.execute(select(Rendition.name).where(Rendition.media_id.in_(ready))).all()
    originals = [item for item in items if item.state in ARRIVED]
    session.execute(
        update(AccountTask)
        .where(AccountTask.id == task.id)
        .values(
            items=AccountTask.items + sum(item.state not in CLOSED for item in items),
            objects=AccountTask.objects + len(renditions) + len(originals),
        )
    )


def _closed(now: datetime) -> dict[str, Any]:
    lease = case((MediaItem.claim_id.is_not(None), MediaItem.due_at))
    return {"state": MediaState.DELETED, "closed_at": now, "due_at": lease}


_KEPT_REPLIES = table("idempotency_keys", column("subject"))
# No index helps here, and none is worth its upkeep: a walk along two weeks of events, once for each account.
_FORGET_ANNOUNCEMENTS = Statement("""
DELETE FROM outbox WHERE published_at IS NOT NULL
AND position(convert_to(%(account_id)s::uuid::text, 'UTF8') IN payload) > 0
""")

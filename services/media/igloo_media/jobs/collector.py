"""Removes photos that no post shows, rows that nobody can ask for, and objects that are no longer wanted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from igloo_common.backup_lock import backup_is_taken
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import ObjectsKept
from igloo_media.operations.collection import collect_unattached, forget_closed
from igloo_media.operations.exports import forget_exports
from igloo_media.operations.removals import due_removals, forget_removals, schedule_removals
from igloo_media.storage import Storage

BATCH = 100
REMOVALS_AT_ONCE = 1000
KEPT_PAUSE = timedelta(minutes=10)

log = logging.getLogger(__name__)


def collect_items() -> None:
    """Delete unattached photos, batch by batch, and drop the rows of what is long gone or done."""
    collected = BATCH
    while collected == BATCH:
        with transaction() as session:
            collected = collect_unattached(session, now=utc_now(), limit=BATCH)
    with transaction() as session:
        forget_closed(session, now=utc_now())
        forget_exports(session, now=utc_now())


def remove_objects(storage: Storage) -> None:
    """Remove the objects that are due; the note of them goes last, so that a crash repeats and never forgets.

    What S3 refuses to remove is tried again later, and does not stand in the way of the others. While a
    backup is being taken nothing goes that its snapshot may speak of.

    Raises:
        StorageUnavailable: S3 does not answer.
    """
    now = utc_now()
    removed = REMOVALS_AT_ONCE
    while removed == REMOVALS_AT_ONCE:
        with reading() as reader:
            keys = due_removals(reader, now=now, limit=REMOVALS_AT_ONCE)
            if backup_is_taken(reader):
                return
        removed = len(keys)
        if keys:
            kept = _kept(storage, sorted(set(keys)))
            with transaction() as session:
                if kept:
                    schedule_removals(session, keys=kept, due_at=now + KEPT_PAUSE)
                forget_removals(session, keys=keys, now=now)


def _kept(storage: Storage, keys: Sequence[str]) -> Sequence[str]:
    """Remove objects, and return those that S3 has not removed."""
    try:
        storage.remove(keys)
    except ObjectsKept as refusal:
        log.error("objects were not removed", extra={"objects": len(refusal.keys), "reason": str(refusal)})
        return refusal.keys
    return ()

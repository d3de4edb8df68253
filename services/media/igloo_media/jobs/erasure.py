"""Erases a person: first what the database shows, then what S3 holds, and says so when nothing is left."""

from __future__ import annotations

import logging
from time import monotonic
from uuid import UUID

from igloo_common.backup_lock import backup_is_taken
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_media.operations.account_tasks import Task, go_on_later
from igloo_media.operations.erasures import (
    drop_items,
    emptied_items,
    empty_items,
    export_prefixes,
    finish_erasure,
    is_waiting,
)
from igloo_media.policies.account_tasks import WAIT
from igloo_media.policies.objects import export_part, originals_prefix, rendition_keys, renditions_prefix
from igloo_media.storage import Storage

log = logging.getLogger(__name__)

EMPTIED_AT_ONCE = 500
# Three keys each: one call to S3 removes them all. Then each folder is listed, to see that it is empty.
CLEARED_AT_ONCE = 100


def erase_some(storage: Storage, task: Task, *, until: float) -> None:
    """Erase for a while (`until` is of the monotonic clock), then end the task or give the turn back.

    While a backup is being taken no object goes: its snapshot may speak of it, and not of the erasure.

    Raises:
        StorageUnavailable: S3 does not answer; what it held up goes on next time.
    """
    while _emptied(task) or _cleared(storage, task):
        if monotonic() >= until:
            _wait(task, more=True)
            return
    with reading() as reader:
        waiting = is_waiting(reader, task.account_id) or backup_is_taken(reader)
    if waiting:
        _wait(task, more=False)
        return
    _clear_folders(storage, task)
    with transaction() as session:
        finished = finish_erasure(session, task, now=utc_now())
    if finished:
        log.info("an account is erased", extra={"task_id": task.id})


def _emptied(task: Task) -> bool:
    """Empty the next rows, without a word to S3: what is gone from the database is shown to nobody."""
    with transaction() as session:
        return empty_items(session, task, now=utc_now(), limit=EMPTIED_AT_ONCE) > 0


def _cleared(storage: Storage, task: Task) -> bool:
    """Remove the renditions of emptied rows, and these rows once a listing has shown that none is left."""
    with reading() as reader:
        media_ids = emptied_items(reader, task.account_id, now=utc_now(), limit=CLEARED_AT_ONCE)
        postponed = backup_is_taken(reader)
    if postponed or not media_ids:
        return False
    _remove_renditions(storage, media_ids)
    with transaction() as session:
        drop_items(session, media_ids)
    return True


def _remove_renditions(storage: Storage, media_ids: list[UUID]) -> None:
    storage.remove([key for media_id in media_ids for key in rendition_keys(media_id)])
    for media_id in media_ids:
        storage.remove_below(renditions_prefix(media_id))


def _clear_folders(storage: Storage, task: Task) -> None:
    with reading() as reader:
        exports = export_prefixes(reader, task.account_id)
    # The archives themselves are the auth service's; a part that was being collected is ours.
    for prefix in exports:
        storage.remove_below(export_part(prefix))
    # First what may still become an object: parts are in no listing of objects, and go by one of their own.
    storage.abort_parts_below(originals_prefix(task.account_id))
    storage.remove_below(originals_prefix(task.account_id))


def _wait(task: Task, *, more: bool) -> None:
    now = utc_now()
    with transaction() as session:
        go_on_later(session, task, due_at=now if more else now + WAIT)

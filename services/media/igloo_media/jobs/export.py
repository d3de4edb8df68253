"""Collects what is held about a person's photos: each photo as a file, all that is known of them as JSON."""

from __future__ import annotations

import logging
from functools import partial
from time import monotonic
from uuid import UUID

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import ObjectMissing
from igloo_common.work_folders import work_folder
from igloo_media.jobs.items_document import write_items
from igloo_media.operations.account_tasks import Task, go_on_later, is_deleted
from igloo_media.operations.exports import finish_export, give_up_export
from igloo_media.policies.objects import export_part, exported_photo_key, rendition_key
from igloo_media.queries.exports import list_ready_ids
from igloo_media.storage import Storage

log = logging.getLogger(__name__)

COPIED_AT_ONCE = 100


def export_some(storage: Storage, task: Task, *, until: float) -> None:
    """Copy photos for a while (`until` is of the monotonic clock); when all are there, describe and finish.

    Raises:
        StorageUnavailable: S3 does not answer; the next turn begins after the last batch that was copied.
    """
    with transaction() as session:
        deleted = is_deleted(session, task.account_id)
        if deleted:
            give_up_export(session, task, now=utc_now())
    if not deleted and not _copied_some(storage, task, until):
        _describe(storage, task)


def _copied_some(storage: Storage, task: Task, until: float) -> bool:
    with reading() as reader:
        media_ids = list_ready_ids(reader, task.account_id, after=task.done_to, limit=COPIED_AT_ONCE)
    done_to = None
    for media_id in media_ids:
        if done_to is not None and monotonic() >= until:
            break
        _copied(storage, task, media_id)
        done_to = media_id
    if done_to is None:
        return False
    with transaction() as session:
        go_on_later(session, task, due_at=utc_now(), done_to=done_to)
    return True


def _copied(storage: Storage, task: Task, media_id: UUID) -> bool:
    try:
        storage.copy(rendition_key(media_id, "full"), exported_photo_key(task.parts_prefix, media_id))
    except ObjectMissing:
        # Deleted since its row was read, or lost: the document says which photos have no file.
        log.info("a photo to export is not there", extra={"task_id": task.id, "media_id": media_id})
        return False
    return True


def _describe(storage: Storage, task: Task) -> None:
    with work_folder() as folder:
        document = folder / "items.json"
        write_items(document, storage, task, copy=partial(_copied, storage, task), now=utc_now())
        key = f"{export_part(task.parts_prefix)}items.json"
        storage.put_file(key, document, content_type="application/json")
    with transaction() as session:
        finish_export(session, task, now=utc_now())

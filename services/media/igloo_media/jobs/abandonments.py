"""Aborts uploads in parts that nobody will join: their parts are in no listing, and cost money anyway."""

from __future__ import annotations

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_parts import PartsGone
from igloo_media.operations.abandonments import Abandoned, due_abandoned, forget_abandoned
from igloo_media.storage import Storage

BATCH = 100


def abort_abandoned(storage: Storage) -> None:
    """Abort the uploads in parts that were given up; the note of each goes once S3 knows nothing of it.

    Raises:
        StorageUnavailable: S3 does not answer; the rest is aborted next time.
    """
    with reading() as reader:
        abandoned = due_abandoned(reader, now=utc_now(), limit=BATCH)
    for each in abandoned:
        storage.abort_parts(each.object_key, each.multipart_id)
        if _is_gone(storage, each):
            with transaction() as session:
                forget_abandoned(session, [each.multipart_id])


def _is_gone(storage: Storage, abandoned: Abandoned) -> bool:
    """See that nothing is left: a part that was on its way may have come after all."""
    try:
        storage.arrived_parts(abandoned.object_key, abandoned.multipart_id)
    except PartsGone:
        return True
    return False

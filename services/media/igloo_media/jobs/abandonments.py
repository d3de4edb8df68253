"""Aborts uploads in parts that nobody will join: their parts are in no listing, and cost money anyway."""

from __future__ import annotations

import logging
from typing import Final

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.object_parts import PartsGone
from igloo_common.object_store import REFUSING, ObjectMissing, StorageUnavailable
from igloo_media.operations.abandonments import Abandoned, forget_abandoned, take_abandoned
from igloo_media.storage import Storage

BATCH: Final = 100
# So many errors in a row are S3's own, not those of single uploads: each may have taken all of its time-outs.
FAILURES_OF_S3: Final = 3

log = logging.getLogger(__name__)


def abort_abandoned(storage: Storage) -> None:
    """Abort the uploads in parts that were given up; the note of each goes once S3 knows nothing of it.

    One on which S3 errs is tried again later, and does not stand in the way of the others.

    Raises:
        StorageUnavailable: S3 erred on some, or on so many in a row that the rest waits until next time.
    """
    now = utc_now()
    failure, in_a_row = None, 0
    for _ in range(BATCH):
        if in_a_row == FAILURES_OF_S3:
            break
        with transaction() as session:
            abandoned = take_abandoned(session, now=now)
        if abandoned is None:
            break
        error = _abort(storage, abandoned)
        failure, in_a_row = (error, in_a_row + 1) if error else (failure, 0)
    if failure is not None:
        raise failure


def _abort(storage: Storage, abandoned: Abandoned) -> StorageUnavailable | None:
    """Abort one, and strike it off when nothing is left; return what S3 has done instead."""
    try:
        storage.abort_parts(abandoned.object_key, abandoned.multipart_id)
        is_gone = _is_gone(storage, abandoned)
    except (StorageUnavailable, ObjectMissing) as error:
        log.warning(
            "parts were not aborted",
            extra={"object_key": abandoned.object_key, "reason": f"{type(error).__name__}: {error}"},
        )
        # That it has no such object is no answer to a question about parts.
        return error if isinstance(error, StorageUnavailable) else StorageUnavailable(REFUSING)
    if is_gone:
        with transaction() as session:
            forget_abandoned(session, [abandoned.multipart_id])
    return None


def _is_gone(storage: Storage, abandoned: Abandoned) -> bool:
    """See that nothing is left: a part that was on its way may have come after all."""
    try:
        storage.arrived_parts(abandoned.object_key, abandoned.multipart_id)
    except PartsGone:
        return True
    return False

"""Erases what auth holds about people whose accounts were deleted."""

from __future__ import annotations

import logging
from typing import Final

from igloo_auth.operations.account_erasure import erase_account
from igloo_auth.policies.exports import objects_prefix
from igloo_auth.queries.account_deletions import OpenErasure, open_erasures
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import ObjectStore, StorageUnavailable

log = logging.getLogger(__name__)

_AT_ONCE: Final = 100


class ErasureLane:
    """Does auth's step of every open deletion: objects first, then all rows and the step together.

    Needs no lease: a worker that dies leaves nothing half done but objects already gone, and two that do the
    same meet at the step's row.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def step(self) -> bool:
        """Work through the deletions that are open; one that fails comes again, and holds no other up."""
        with reading() as connection:
            found = open_erasures(connection, now=utc_now(), limit=_AT_ONCE)
        erased = [self._erase(erasure) for erasure in found]
        return any(erased)

    def _erase(self, erasure: OpenErasure) -> bool:
        try:
            for export_id in erasure.export_ids:
                self._store.remove_below(objects_prefix(export_id))
        except StorageUnavailable as error:
            log.warning(
                "The exports of a deleted account are still in S3",
                extra={"deletion_id": str(erasure.deletion_id)},
                exc_info=error,
            )
            return False
        with transaction() as session:
            return erase_account(
                session, deletion_id=erasure.deletion_id, account_id=erasure.account_id, now=utc_now()
            )

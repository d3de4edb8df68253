"""Removes from S3 what was left there of exports that nobody wants any longer."""

from __future__ import annotations

from itertools import islice
from typing import Final

from igloo_auth.policies.exports import PREFIX, export_of_key
from igloo_auth.queries.account_exports import exports_with_objects
from igloo_common.database import reading
from igloo_common.object_store import ObjectStore
from igloo_common.web import provided

_AT_ONCE: Final = 1000


def sweep_exports() -> None:
    """Remove the objects of exports that have ended or are forgotten.

    They are there when a worker died between S3 and the database, or another service wrote its part after the
    account was deleted. The listing comes first: an export that begins after it is not in it.

    Raises:
        StorageUnavailable: S3 does not answer; the rest goes next time.
    """
    store = provided(ObjectStore)
    keys = [found.key for found in store.listing(PREFIX)]
    listed = iter(keys)
    while batch := list(islice(listed, _AT_ONCE)):
        owners = {key: export_of_key(key) for key in batch}
        export_ids = {export_id for export_id in owners.values() if export_id is not None}
        with reading() as connection:
            wanted = exports_with_objects(connection, export_ids=export_ids)
        # A key that names no export is none of ours.
        store.remove([key for key, owner in owners.items() if owner is not None and owner not in wanted])

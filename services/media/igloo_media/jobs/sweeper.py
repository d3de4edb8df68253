"""Finds uploads whose client died between sending the file, or its last part, and `complete`."""

from __future__ import annotations

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_media.operations.collection import settle_forgotten, take_forgotten
from igloo_media.policies.objects import original_key
from igloo_media.storage import Storage

BATCH = 100


def sweep_uploads(storage: Storage) -> None:
    """Look for each forgotten upload in S3; promote what arrived, whole or in parts, expire what cannot.

    Raises:
        StorageUnavailable: S3 does not answer; the rest is looked for next time.
    """
    with transaction() as session:
        forgotten = take_forgotten(session, now=utc_now(), limit=BATCH)
    for upload in forgotten:
        arrival = storage.arrival_of(
            original_key(upload.owner_id, upload.upload_id),
            size_bytes=upload.size_bytes,
            multipart_id=upload.multipart_id,
        )
        with transaction() as session:
            settle_forgotten(
                session, upload_id=upload.upload_id, stored_bytes=arrival.stored_bytes, now=utc_now()
            )

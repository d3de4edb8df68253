"""The bucket as it is reached through a faulty S3, and what must be so when a bad hour is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from factories.s3_faults import FaultyS3
from igloo_common.clock import utc_now
from igloo_common.object_store import StorageSettings
from igloo_common.outages import Outage
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.policies.objects import originals_prefix, renditions_prefix
from igloo_media.storage import Storage
from media.conftest import Person, change, events, item, let_time_pass

SECONDS = 0.25
"""How long a client waits that is known to wait in vain."""


def through(
    proxy: FaultyS3, settings: StorageSettings, *, attempts: int = 1, seconds: float | None = None
) -> Storage:
    """Give the bucket as it is reached through the proxy."""
    changed: dict[str, Any] = {} if seconds is None else {"read_seconds": seconds}
    return Storage(
        replace(settings, endpoint=proxy.url, public_endpoint=proxy.url, attempts=attempts, **changed)
    )


def recover(lane: PhotoLane, *media_ids: UUID) -> None:
    """Let the pauses of a lane and of photos be over."""
    lane.outage = Outage(longest_seconds=0.0)
    for media_id in media_ids:
        change(media_id, due_at=utc_now())


def assert_waiting(person: Person, media_id: UUID, *, attempts: int = 0) -> None:
    """The photo is shown as in process, whoever is asked, and was charged no attempt."""
    row = item(media_id)
    assert (row.state, row.attempts, row.claim_id) == ("uploaded", attempts, None)
    assert row.due_at > utc_now()
    assert person.media(media_id)["state"] == "processing"
    (listed,) = person.call("GET", "/v1/uploads?state=processing").get_json()["data"]
    assert listed["id"] == str(media_id)
    assert events("media.item.failed.v1") == events("media.item.ready.v1") == []


def assert_made_once(person: Person, media_id: UUID, storage: Storage) -> None:
    """The photo is ready and said so once; S3 holds its three renditions, whole, and nothing else of it."""
    assert person.media(media_id)["state"] == "ready"
    ready = [each for each in events("media.item.ready.v1") if each["media_id"] == str(media_id)]
    assert len(ready) == 1
    let_time_pass(hours=2)
    remove_objects(storage)
    sizes = {found.key: found.size_bytes for found in storage.listing(renditions_prefix(media_id))}
    announced = {
        f"{renditions_prefix(media_id)}{each['name']}.webp": each["size_bytes"]
        for each in ready[0]["renditions"]
    }
    assert len(sizes) == 3
    assert sizes == announced
    assert list(storage.listing(originals_prefix(person.id))) == []

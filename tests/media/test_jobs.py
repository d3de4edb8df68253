"""What the worker does by itself: finding forgotten uploads, collecting, removing objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from factories import photos
from igloo_common.database import reading, transaction
from igloo_common.ids import new_id
from igloo_common.object_store import StorageUnavailable
from igloo_media.jobs.collector import collect_items, remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.jobs.sweeper import sweep_uploads
from igloo_media.operations.items import attach_items
from igloo_media.policies.objects import original_key, rendition_key
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, events, item, let_time_pass, run, send

PHOTO = photos.jpeg(64, 48)


@pytest.fixture
def noise(ben: Person) -> Iterator[str]:
    """Keep a fresh upload of somebody else, which no job may touch."""
    (upload,) = ben.ask(PHOTO)
    yield upload["id"]
    assert item(upload["id"]).state == "pending"


def removals() -> int:
    with reading() as reader:
        count: int = reader.execute(text("SELECT count(*) FROM object_removals")).scalar_one()
        return count


def test_an_upload_whose_client_died_before_completing_is_promoted(ana: Person, storage: Storage) -> None:
    (sent,) = ana.ask(PHOTO)
    send(sent["target"], PHOTO)
    (unsent,) = ana.ask(PHOTO)

    sweep_uploads(storage)
    assert item(sent["id"]).state == "pending", "its client may still complete it"
    let_time_pass(hours=0.1)
    sweep_uploads(storage)

    assert (item(sent["id"]).state, item(unsent["id"]).state) == ("uploaded", "pending")


def test_an_upload_that_never_came_expires_and_whoever_waits_is_told(ana: Person, storage: Storage) -> None:
    (upload,) = ana.ask(PHOTO)
    let_time_pass(hours=2)

    sweep_uploads(storage)

    assert ana.media(upload["id"])["state"] == "failed"
    assert ana.media(upload["id"])["failure"]["code"] == "upload_expired"
    assert ana.call("GET", f"/v1/uploads/{upload['id']}").get_json()["state"] == "expired"
    (failed,) = events("media.item.failed.v1")
    assert (failed["media_id"], failed["code"]) == (upload["id"], "upload_expired")


def test_the_sweeper_leaves_fresh_uploads_alone(storage: Storage, noise: str) -> None:
    sweep_uploads(storage)

    assert item(noise).state == "pending"


def test_sweeping_goes_on_after_an_outage(ana: Person, storage: Storage, settings: Settings) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    let_time_pass(hours=0.1)
    away = Storage(replace(settings.storage, endpoint="http://127.0.0.1:9"))

    with pytest.raises(StorageUnavailable):
        sweep_uploads(away)
    let_time_pass(hours=0.1)
    sweep_uploads(storage)

    assert item(upload["id"]).state == "uploaded"


def test_a_photo_that_no_post_shows_is_collected_after_a_day(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    unattached, attached = ana.upload(PHOTO, photos.jpeg(64, 48, seed=2))
    run(lane)
    with transaction() as session:
        attach_items(session, owner_id=ana.id, media_ids=[attached], post_id=new_id())
    let_time_pass(hours=23)
    collect_items()
    assert item(unattached).state == "ready", "a day is not over"

    let_time_pass(hours=2)
    (young,) = ana.upload(photos.jpeg(64, 48, seed=3))
    run(lane)
    collect_items()
    remove_objects(storage)

    assert [item(each).state for each in (unattached, attached, young)] == ["deleted", "ready", "ready"]
    assert storage.size_of(rendition_key(unattached, "feed")) is None
    assert storage.size_of(rendition_key(attached, "feed"))
    assert storage.size_of(rendition_key(young, "feed"))
    (failed,) = events("media.item.failed.v1")
    assert (failed["media_id"], failed["code"]) == (str(unattached), "media_deleted")


def test_rows_of_closed_uploads_are_dropped_after_two_weeks(
    ana: Person, storage: Storage, noise: str
) -> None:
    (upload,) = ana.ask(PHOTO)
    ana.call("DELETE", f"/v1/uploads/{upload['id']}")
    with transaction() as session:
        session.execute(text("UPDATE media_items SET closed_at = closed_at - interval '15 days'"))

    collect_items()

    with reading() as reader:
        left = reader.execute(text("SELECT id::text FROM media_items")).scalars().all()
    assert left == [noise]


def test_a_file_sent_again_after_the_photo_was_done_does_not_stay(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    ana.call("POST", f"/v1/uploads/{upload['id']}/complete")
    run(lane)
    remove_objects(storage)
    send(upload["target"], PHOTO)  # The phone never heard the answer to its first POST.
    assert storage.size_of(original_key(ana.id, upload["id"]))

    let_time_pass(hours=2)
    remove_objects(storage)

    assert storage.size_of(original_key(ana.id, upload["id"])) is None
    assert removals() == 0


def test_what_a_worker_still_writes_of_a_deleted_photo_is_removed_later(
    ana: Person, storage: Storage, tmp_path: Path
) -> None:
    (media_id,) = ana.upload(PHOTO)
    ana.call("DELETE", f"/v1/media/{media_id}")
    remove_objects(storage)
    written = tmp_path / "feed.webp"
    written.write_bytes(PHOTO)
    storage.upload(rendition_key(media_id, "feed"), written, content_type="image/webp")

    remove_objects(storage)
    assert storage.size_of(rendition_key(media_id, "feed")), "the worker may go on writing for a while"
    let_time_pass(hours=2)
    remove_objects(storage)

    assert storage.size_of(rendition_key(media_id, "feed")) is None


def test_removals_are_remembered_while_s3_is_away(ana: Person, storage: Storage, settings: Settings) -> None:
    (upload,) = ana.ask(PHOTO)
    send(upload["target"], PHOTO)
    ana.call("DELETE", f"/v1/uploads/{upload['id']}")
    away = Storage(replace(settings.storage, endpoint="http://127.0.0.1:9"))

    with pytest.raises(StorageUnavailable):
        remove_objects(away)
    remove_objects(storage)

    assert storage.size_of(original_key(ana.id, upload["id"])) is None

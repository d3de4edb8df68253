"""From an uploaded file to a ready photo or a plain failure, whatever dies on the way."""

from __future__ import annotations

import fcntl
import os
import signal
import termios
import threading
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
import requests
from flask import Flask
from PIL import Image
from sqlalchemy import text

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import current_engine, transaction
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.processing import RenderedPhoto, claim_next, finish_failed, finish_ready
from igloo_media.operations.wakes import PHOTOS_CHANNEL
from igloo_media.policies.objects import original_key, rendition_key
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, change, events, item, run, wait_until

PHOTO = photos.jpeg(1400, 1000)
READY, FAILED = "media.item.ready.v1", "media.item.failed.v1"


def test_an_uploaded_photo_becomes_ready_and_is_announced(
    ana: Person, lane: PhotoLane, storage: Storage, settings: Settings
) -> None:
    (media_id,) = ana.upload(PHOTO, alt_text="Clouds over the pier")

    assert run(lane) == 1

    (ready,) = events(READY)
    shown = ana.media(media_id)
    assert shown["state"] == "ready"
    assert ready["media_id"] == str(media_id)
    assert ready["owner_id"] == str(ana.id)
    assert ready["alt_text"] == shown["alt_text"] == "Clouds over the pier"
    for name in ("width", "height", "blurhash", "dominant_color"):
        assert ready[name] == shown[name]
    sizes = {each["name"]: (each["width"], each["height"]) for each in ready["renditions"]}
    assert sizes == {"thumb": (320, 320), "feed": (1080, 771), "full": (1400, 1000)}
    for each in ready["renditions"]:
        address = storage.read_address(rendition_key(media_id, each["name"]), now=utc_now())
        stored = requests.get(f"{settings.storage.endpoint}{address}", timeout=10)
        assert stored.headers["Content-Type"] == each["content_type"] == "image/webp"
        assert len(stored.content) == each["size_bytes"]
        with Image.open(BytesIO(stored.content)) as image:
            assert image.size == (each["width"], each["height"])


def test_the_original_is_removed_once_the_photo_is_ready(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    (media_id,) = ana.upload(PHOTO)
    run(lane)
    assert storage.size_of(original_key(ana.id, media_id)) == len(PHOTO)

    remove_objects(storage)

    assert storage.size_of(original_key(ana.id, media_id)) is None
    assert storage.size_of(rendition_key(media_id, "feed"))


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (photos.BROKEN_JPEG, "unreadable_image"),
        (PHOTO[: len(PHOTO) // 2], "unreadable_image"),
        (b"plainly no photo", "unsupported_format"),
        (photos.png_bomb(30_000, 30_000), "too_many_pixels"),
    ],
)
def test_what_cannot_be_shown_fails_with_its_reason(
    ana: Person, lane: PhotoLane, storage: Storage, photo: bytes, code: str
) -> None:
    (media_id,) = ana.upload(photo)

    assert run(lane) == 1

    (failed,) = events(FAILED)
    shown = ana.media(media_id)
    assert shown["state"] == "failed"
    assert shown["failure"] == {"code": code, "detail": failed["detail"]}
    assert (failed["media_id"], failed["owner_id"], failed["code"]) == (str(media_id), str(ana.id), code)
    assert events(READY) == []
    remove_objects(storage)
    assert storage.size_of(original_key(ana.id, media_id)) is None


def test_a_file_that_is_not_the_announced_one_fails_though_s3_took_it(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    change(media_id, sha256=sha256(b"another file").digest())

    run(lane)

    assert ana.media(media_id)["failure"]["code"] == "checksum_mismatch"


def test_a_file_that_vanished_fails(ana: Person, lane: PhotoLane, storage: Storage) -> None:
    (media_id,) = ana.upload(PHOTO)
    storage.remove([original_key(ana.id, media_id)])

    run(lane)

    assert ana.media(media_id)["failure"]["code"] == "upload_lost"


def test_a_child_killed_midway_has_its_photo_tried_again(ana: Person, lane: PhotoLane) -> None:
    ana.upload(PHOTO)
    run(lane)
    child = lane.children[0]
    (media_id,) = ana.upload(photos.jpeg(800, 600))
    os.kill(child, signal.SIGSTOP)
    killer = threading.Thread(target=_kill_once_asked, args=[lane, child])
    killer.start()

    assert lane.step()
    killer.join()

    assert (item(media_id).state, item(media_id).attempts) == ("uploaded", 1)
    assert run(lane) == 0, "it pauses before the next attempt"
    change(media_id, due_at=utc_now())
    assert run(lane) == 1
    assert ana.media(media_id)["state"] == "ready"
    assert len(events(READY)) == 2


def _kill_once_asked(lane: PhotoLane, child: int) -> None:
    """Kill the child when the photo's request lies in its pipe; one that is dead before is only replaced."""
    process = lane._renderers[0]._child
    assert process is not None
    pipe = process.stdin
    assert pipe is not None
    wait_until(lambda: any(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))), "the child is asked")
    os.kill(child, signal.SIGKILL)


def test_a_photo_that_ends_every_child_fails_visibly(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    lane.limits = ChildLimits(wall_seconds=0.0)

    for attempt in (1, 2, 3):
        assert item(media_id).attempts == attempt - 1
        change(media_id, due_at=utc_now())
        assert lane.step()

    assert ana.media(media_id)["failure"]["code"] == "processing_timeout"
    (failed,) = events(FAILED)
    assert failed["code"] == "processing_timeout"


def test_a_photo_that_ended_every_worker_fails_visibly(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(PHOTO)
    for _ in range(3):
        with transaction() as session:
            assert claim_next(session, now=utc_now()) is not None
        change(media_id, due_at=utc_now())  # The worker died, and its lease has run out.

    assert lane.step()

    assert ana.media(media_id)["failure"]["code"] == "processing_crashed"


def test_a_worker_that_lost_its_lease_changes_nothing(ana: Person) -> None:
    (media_id,) = ana.upload(PHOTO)
    now = utc_now()
    with transaction() as session:
        lost = claim_next(session, now=now)
        held = claim_next(session, now=now + timedelta(minutes=1))
    with transaction() as session:
        later = claim_next(session, now=now + timedelta(minutes=10))
    assert lost is not None
    assert held is None, "the lease still runs"
    assert later is not None
    photo = RenderedPhoto(
        content_sha256=bytes(32),
        width=1,
        height=1,
        frames=1,
        receipt={"removed": [], "kept": []},
        blurhash="x",
        dominant_color="#000000",
        renditions=[],
    )

    with transaction() as session:
        assert not finish_ready(session, lost, photo, now=now)
        assert not finish_failed(session, lost, code="c", detail="d", now=now)

    assert (item(media_id).state, item(media_id).claim_id) == ("processing", later.claim_id)
    assert events(READY) == events(FAILED) == []


def test_a_photo_deleted_midway_stays_deleted_and_leaves_nothing_in_s3(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    (media_id,) = ana.upload(PHOTO)
    with transaction() as session:
        claim = claim_next(session, now=utc_now())
    assert claim is not None
    feed = rendition_key(media_id, "feed")
    original = b"".join(storage.chunks(original_key(ana.id, media_id)))
    ana.call("DELETE", f"/v1/media/{media_id}")
    remove_objects(storage)
    # The worker had it before.
    storage.put(original_key(ana.id, media_id), original, content_type="image/jpeg")

    lane.finish(claim)

    assert storage.size_of(feed), "the worker was at it"
    assert item(media_id).state == "deleted"
    assert events(READY) == []
    remove_objects(storage)
    assert storage.size_of(feed) is None, "the worker has said that it writes no more"
    _remove_everything_due_within_hours(storage, hours=2)
    assert storage.size_of(original_key(ana.id, media_id)) is None


def _remove_everything_due_within_hours(storage: Storage, *, hours: int) -> None:
    with transaction() as session:
        session.execute(
            text("UPDATE object_removals SET due_at = due_at - :span"), {"span": timedelta(hours=hours)}
        )
    remove_objects(storage)


def test_two_workers_process_every_photo_once(app: Flask, ana: Person, ben: Person, storage: Storage) -> None:
    ids = ana.upload(*(photos.jpeg(200, 150, seed=n) for n in range(4)))
    ids += ben.upload(*(photos.jpeg(200, 150, seed=n) for n in range(4)))
    lanes = [PhotoLane(storage=storage, limits=ChildLimits()) for _ in range(2)]
    taken: list[int] = []

    def work(lane: PhotoLane) -> None:
        with app.app_context():
            taken.append(run(lane))

    threads = [threading.Thread(target=work, args=[lane]) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for lane in lanes:
        lane.close()

    assert sum(taken) == len(ids)
    assert sorted(event["media_id"] for event in events(READY)) == sorted(str(each) for each in ids)


def test_owners_take_turns(ana: Person, ben: Person) -> None:
    of_ana = ana.upload(*(photos.jpeg(64, 48, seed=n) for n in range(3)))
    of_ben = ben.upload(photos.jpeg(64, 48))

    order = []
    for _ in range(4):
        with transaction() as session:
            claim = claim_next(session, now=utc_now())
            assert claim is not None
            finish_failed(session, claim, code="test", detail="Done.", now=utc_now())
        order.append(claim.media_id)

    assert order == [of_ana[0], of_ben[0], of_ana[1], of_ana[2]]


def test_an_outage_of_s3_costs_no_attempt(ana: Person, app: Flask, settings: Settings) -> None:
    (media_id,) = ana.upload(PHOTO)
    away = Storage(replace(settings.storage, endpoint="http://127.0.0.1:9"))
    lane = PhotoLane(storage=away, limits=ChildLimits())

    assert lane.step()

    row = item(media_id)
    assert (row.state, row.attempts) == ("uploaded", 0)
    assert row.due_at > utc_now()
    assert events(FAILED) == []


def test_completing_wakes_a_waiting_worker(ana: Person, app: Flask) -> None:
    with current_engine().connect() as connection:
        driver: Any = connection.execution_options(isolation_level="AUTOCOMMIT").connection.driver_connection
        driver.execute(f"LISTEN {PHOTOS_CHANNEL}")
        ana.upload(photos.jpeg(64, 48))
        heard = list(driver.notifies(timeout=5, stop_after=1))
        driver.execute("UNLISTEN *")

    assert [notice.channel for notice in heard] == [PHOTOS_CHANNEL]

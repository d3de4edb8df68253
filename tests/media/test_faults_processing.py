"""Photos while S3 is slow, down, full or busy: nothing is lost, and nothing is said that is not so."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from factories import photos
from factories.s3_faults import Fault, FaultyS3
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.outages import Outage
from igloo_media.images import Photo, ProcessingCrashed, Renderer
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.jobs.thumbs import RenderLane
from igloo_media.policies.objects import rendition_key
from igloo_media.policies.processing import LONGEST_OUTAGE_PAUSE_SECONDS, MAX_ATTEMPTS
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.bad_hours import SECONDS, assert_made_once, assert_waiting, recover, through
from media.conftest import Person, change, events, item, let_time_pass, run

PHOTO = photos.jpeg(200, 150)
PLACES = (
    ("GET", "originals/*"),
    ("PUT", "renditions/*/thumb.webp"),
    ("PUT", "renditions/*/feed.webp"),
    ("PUT", "renditions/*/full.webp"),
)
BRIEF = [
    ({"fault": Fault.ANSWER, "status": 500}, "an internal error"),
    ({"fault": Fault.ANSWER, "status": 503, "code": "SlowDown"}, "a word to slow down"),
    ({"fault": Fault.CLOSE}, "a connection that ends"),
    ({"fault": Fault.LOSE_ANSWER}, "an answer that is lost"),
]
LASTING = [
    ({"fault": Fault.ANSWER, "status": 500}, "internal errors"),
    ({"fault": Fault.ANSWER, "status": 503, "code": "SlowDown"}, "words to slow down"),
    ({"fault": Fault.CLOSE}, "connections that end"),
    ({"fault": Fault.LOSE_ANSWER}, "answers that are lost"),
    ({"fault": Fault.HANG}, "silence"),
]
FULL = [
    {"fault": Fault.ANSWER, "status": 507, "code": "InsufficientStorage"},
    {"fault": Fault.ANSWER, "status": 403, "code": "QuotaExceeded"},
    {"fault": Fault.ANSWER, "status": 400, "code": "EntityTooLarge"},
    {"fault": Fault.CUT_UPLOAD},
]


@pytest.fixture(scope="module")
def warm_lane(media_app: Flask, storage: Storage) -> Iterator[PhotoLane]:
    """Keep one child for all of these tests."""
    lane = PhotoLane(storage=storage, limits=ChildLimits())
    yield lane
    lane.close()


@pytest.fixture
def shaky_lane(app: Flask, warm_lane: PhotoLane, faulty: FaultyS3, settings: Settings) -> PhotoLane:
    """Give a lane that asks a faulty S3 once and no more, so that a test shows what the lane does then."""
    warm_lane.storage = through(faulty, settings.storage)
    recover(warm_lane)
    return warm_lane


@pytest.mark.parametrize("rule", [rule for rule, _ in BRIEF], ids=[name for _, name in BRIEF])
def test_a_brief_fault_is_got_over_in_the_same_turn(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3, settings: Settings, rule: dict[str, object]
) -> None:
    shaky_lane.storage = through(faulty, settings.storage, attempts=2)
    (media_id,) = ana.upload(PHOTO)
    for method, key in PLACES:
        faulty.break_down(method=method, key=key, times=1, **rule)  # type: ignore[arg-type]

    assert run(shaky_lane) == 1

    assert [faulty.asked(*place) for place in PLACES] == [2, 2, 2, 2]
    assert item(media_id).attempts == 1
    assert_made_once(ana, media_id, shaky_lane.storage)


@pytest.mark.parametrize("rule", [rule for rule, _ in LASTING], ids=[name for _, name in LASTING])
def test_an_outage_anywhere_costs_nothing_but_time(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3, settings: Settings, rule: dict[str, object]
) -> None:
    (media_id,) = ana.upload(PHOTO)
    whole, in_vain = shaky_lane.storage, through(faulty, settings.storage, seconds=SECONDS)
    for method, key in PLACES:
        recover(shaky_lane, media_id)
        # Only who asks S3 in vain is in a hurry: a test must not depend on how busy the machine is.
        shaky_lane.storage = in_vain if rule["fault"] is Fault.HANG else whole
        with faulty.broken(method=method, key=key, **rule):  # type: ignore[arg-type]
            assert shaky_lane.step()
        assert_waiting(ana, media_id)

    shaky_lane.storage = whole
    recover(shaky_lane, media_id)
    assert run(shaky_lane) == 1
    assert_made_once(ana, media_id, whole)


def test_a_full_s3_loses_no_photo_and_keeps_no_half_of_one(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3
) -> None:
    (media_id,) = ana.upload(PHOTO)
    for rule in FULL:
        recover(shaky_lane, media_id)
        with faulty.broken(method="PUT", key="renditions/*/thumb.webp", **rule):  # type: ignore[arg-type]
            assert shaky_lane.step()
        assert_waiting(ana, media_id)
        # Renditions go out one after the other: what is not whole is no object at all.
        for name in ("thumb", "feed", "full"):
            assert shaky_lane.storage.size_of(rendition_key(media_id, name)) is None

    recover(shaky_lane, media_id)
    assert run(shaky_lane) == 1
    assert_made_once(ana, media_id, shaky_lane.storage)


def test_an_original_that_comes_by_half_is_not_taken_for_a_broken_photo(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3
) -> None:
    (media_id,) = ana.upload(PHOTO)

    with faulty.broken(Fault.CUT, method="GET", key="originals/*"):
        assert shaky_lane.step()
    assert_waiting(ana, media_id)

    recover(shaky_lane, media_id)
    assert run(shaky_lane) == 1
    assert_made_once(ana, media_id, shaky_lane.storage)


def test_a_bucket_that_is_gone_does_not_mean_that_photos_are_lost(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3
) -> None:
    (media_id,) = ana.upload(PHOTO)

    with faulty.broken(Fault.ANSWER, method="GET", status=404, code="NoSuchBucket"):
        assert shaky_lane.step()

    assert_waiting(ana, media_id)


def test_a_photo_deleted_during_an_outage_leaves_nothing(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3
) -> None:
    (media_id,) = ana.upload(PHOTO)
    with faulty.broken(Fault.ANSWER, method="PUT", key="renditions/*/full.webp"):
        assert shaky_lane.step()
    assert shaky_lane.storage.size_of(rendition_key(media_id, "feed"))

    assert ana.call("DELETE", f"/v1/media/{media_id}").status_code == 204

    let_time_pass(hours=2)
    remove_objects(shaky_lane.storage)
    assert list(shaky_lane.storage.listing(f"renditions/{media_id}/")) == []


def test_a_lane_leaves_an_s3_that_is_out_alone_for_longer_and_longer(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3
) -> None:
    clock = [1000.0]
    shaky_lane.outage = Outage(longest_seconds=30.0, now=lambda: clock[0])
    media_ids = ana.upload(*(photos.jpeg(64, 48, seed=n) for n in range(6)))
    faulty.break_down(Fault.ANSWER, method="GET")

    asked, pauses = [], []
    for _ in range(7):
        begun = clock[0]
        for media_id in media_ids:
            change(media_id, due_at=utc_now())
        run(shaky_lane)
        asked.append(faulty.asked("GET"))
        while shaky_lane.outage.is_on:
            clock[0] += 0.5
        pauses.append(clock[0] - begun)

    # One failure may be that photo's own; the second in a row ends the asking, with four photos untouched.
    assert asked == [2, 3, 4, 5, 6, 7, 8]
    assert pauses[0] <= 2.5
    assert pauses[3] > 2 * pauses[0]
    assert 15.0 <= pauses[5] <= 31.0
    assert 15.0 <= pauses[6] <= 31.0
    faulty.heal()
    recover(shaky_lane, *media_ids)
    assert run(shaky_lane) == len(media_ids)
    assert len(events("media.item.ready.v1")) == len(media_ids)
    assert {item(each).attempts for each in media_ids} == {1}


def test_one_object_that_s3_never_gives_out_keeps_nobody_waiting(
    ana: Person, ben: Person, shaky_lane: PhotoLane, faulty: FaultyS3
) -> None:
    (stuck,) = ana.upload(PHOTO)
    waiting = ben.upload(*(photos.jpeg(64, 48, seed=n) for n in range(3)))
    faulty.break_down(Fault.ANSWER, method="GET", key=f"originals/*/{stuck}")

    pauses = []
    for age in (0, 10, 60, 3600):
        shaky_lane.outage, now = Outage(longest_seconds=30.0), utc_now()
        change(stuck, due_at=now, uploaded_at=now - timedelta(seconds=age))
        run(shaky_lane)
        pauses.append((item(stuck).due_at - now).total_seconds())

    assert [item(each).state for each in waiting] == ["ready"] * 3
    # The lane went on at once, the photo later and later.
    assert not shaky_lane.outage.is_on
    assert pauses[0] < pauses[1] < pauses[2] < pauses[3] < LONGEST_OUTAGE_PAUSE_SECONDS + 5
    assert ana.media(stuck)["state"] == "processing"


def test_photos_get_through_an_s3_that_fails_at_every_third_word(
    ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3, settings: Settings
) -> None:
    shaky_lane.storage = through(faulty, settings.storage, attempts=2)
    media_ids = ana.upload(*(photos.jpeg(64, 48, seed=n) for n in range(5)))
    rule = faulty.break_down(Fault.ANSWER, every=3)

    run(shaky_lane)

    assert rule.done > 5
    assert {item(each).state for each in media_ids} == {"ready"}
    assert len(events("media.item.ready.v1")) == len(media_ids)


def test_a_full_disk_of_the_worker_costs_no_attempt(
    ana: Person, shaky_lane: PhotoLane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (media_id,) = ana.upload(PHOTO)

    def crash(*_: object, **__: object) -> None:
        raise ProcessingCrashed(f"the child ended: write error, {os.strerror(errno.ENOSPC)}")

    with monkeypatch.context() as patches:
        patches.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
        assert shaky_lane.step()
    assert_waiting(ana, media_id)
    recover(shaky_lane, media_id)
    with monkeypatch.context() as patches:
        patches.setattr(Renderer, "render", crash)
        patches.setattr("igloo_common.work_folders.disk_usage", lambda _: SimpleNamespace(free=1_000_000))
        assert shaky_lane.step()
    assert_waiting(ana, media_id)

    recover(shaky_lane, media_id)
    assert run(shaky_lane) == 1
    assert_made_once(ana, media_id, shaky_lane.storage)


def test_a_photo_whose_child_only_says_that_the_disk_is_full_has_its_attempts_and_no_more(
    ana: Person, shaky_lane: PhotoLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    (media_id,) = ana.upload(PHOTO)

    def lie(*_: object, **__: object) -> None:
        raise ProcessingCrashed(f"the child ended: {os.strerror(errno.ENOSPC)}")

    monkeypatch.setattr(Renderer, "render", lie)
    for _ in range(MAX_ATTEMPTS):
        change(media_id, due_at=utc_now())
        assert shaky_lane.step(), "the lane does not pause"

    assert (item(media_id).state, item(media_id).failure_code) == ("failed", "processing_crashed")


def test_a_rendition_that_becomes_a_link_after_the_check_is_not_followed(
    ana: Person, shaky_lane: PhotoLane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (media_id,) = ana.upload(PHOTO)
    secret = tmp_path / "environ"
    secret.write_bytes(b"what the worker knows")
    render = Renderer.render

    def replace_afterwards(renderer: Renderer, source: Path, folder: Path, **more: Any) -> Photo:  # noqa: ANN401 - passed on
        photo = render(renderer, source, folder, **more)
        photo.renditions[0].path.unlink()
        photo.renditions[0].path.symlink_to(secret)
        return photo

    monkeypatch.setattr(Renderer, "render", replace_afterwards)
    assert shaky_lane.step()

    assert list(shaky_lane.storage.listing(f"renditions/{media_id}/")) == []
    assert (item(media_id).state, item(media_id).attempts) == ("uploaded", 1)
    assert shaky_lane.children == [], "a child that does so gets no other photo"


def test_thumbnails_wait_for_s3_with_the_photos(ana: Person, shaky_lane: PhotoLane, faulty: FaultyS3) -> None:
    media_ids = ana.upload(*(photos.jpeg(64, 48, seed=n) for n in range(4)))
    run(shaky_lane)
    point = {"focal_point": {"x": 0.9, "y": 0.1}}
    for media_id in media_ids:
        assert ana.call("PATCH", f"/v1/media/{media_id}", json=point).status_code == 200
    lane = RenderLane(shaky_lane)
    shaky_lane.outage = Outage(longest_seconds=30.0)

    with faulty.broken(Fault.ANSWER, method="GET", key="renditions/*"):
        while lane.step():
            pass
        assert faulty.asked("GET", "renditions/*") == 2, "the others are not even begun"

    assert sorted(item(each).thumb_version for each in media_ids) == [1, 1, 2, 2]
    with transaction() as session:
        session.execute(text("UPDATE thumb_tasks SET due_at = now()"))
    recover(shaky_lane)
    while lane.step():
        pass
    let_time_pass(hours=2)
    remove_objects(shaky_lane.storage)
    for media_id in media_ids:
        newest = item(media_id).thumb_version
        keys = [found.key for found in shaky_lane.storage.listing(f"renditions/{media_id}/")]
        assert [key for key in keys if "thumb" in key] == [rendition_key(media_id, "thumb", newest)]

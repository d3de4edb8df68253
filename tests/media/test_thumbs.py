"""Thumbnails that follow the focal point of a photo that is ready, whatever dies on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask
from PIL import Image
from sqlalchemy import select, text, update

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_media.events import RenditionFacts
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.jobs.thumbs import RenderLane
from igloo_media.models import CachePurge, ObjectRemoval, Rendition, ThumbTask
from igloo_media.operations.processing import claim_next
from igloo_media.operations.thumbs import claim_thumb, finish_thumb
from igloo_media.policies.objects import rendition_key, rendition_path
from igloo_media.policies.processing import LEASE, MAX_ATTEMPTS
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, events, item, run

# Red at the left end, grey everywhere else.
WIDE = photos.encoded(
    photos.flat(900, 200, 128, 128, 128).insert(photos.flat(200, 200, 255, 0, 0), 0, 0), ".jpg", Q=95
)
LEFT, RIGHT = {"x": 0.0, "y": 0.5}, {"x": 1.0, "y": 0.5}
READY = "media.item.ready.v1"


@pytest.fixture(scope="module")
def shared_lane(storage: Storage) -> Iterator[PhotoLane]:
    """Keep one warm child for all tests here: starting one costs more than what it is asked for."""
    lane = PhotoLane(storage=storage, limits=ChildLimits())
    yield lane
    lane.close()


@pytest.fixture
def lane(app: Flask, shared_lane: PhotoLane) -> RenderLane:
    return RenderLane(shared_lane)


@pytest.fixture
def ready(ana: Person, lane: RenderLane) -> UUID:
    """A photo that is ready, cut in the middle."""
    (media_id,) = ana.upload(WIDE)
    run(lane.photos)
    return media_id


def point(person: Person, media_id: UUID, at: dict[str, float] | None) -> dict[str, Any]:
    answer = person.call("PATCH", f"/v1/media/{media_id}", json={"focal_point": at})
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.get_json()
    return shown


def thumb(media_id: UUID) -> Any:  # noqa: ANN401 - a row
    with reading() as reader:
        return reader.execute(
            select(Rendition.__table__).where(Rendition.media_id == media_id, Rendition.name == "thumb")
        ).one()


def tasks() -> list[Any]:
    with reading() as reader:
        return list(reader.execute(select(ThumbTask.__table__)))


def is_red(storage: Storage, settings: Settings, media_id: UUID, version: int) -> bool:
    """Tell whether the top left of what lies in S3 is red."""
    address = storage.read_address(rendition_key(media_id, "thumb", version), now=utc_now())
    answer = requests.get(f"{settings.storage.endpoint}{address}", timeout=10)
    with Image.open(BytesIO(answer.content)) as image:
        red, green, _ = image.convert("RGB").getpixel((8, 8))  # type: ignore[misc]
        return bool(red > 150 > green)


def move_due(**values: object) -> None:
    with transaction() as session:
        session.execute(update(ThumbTask).values(**values))


def test_a_thumbnail_follows_the_point_at_a_new_address(
    ana: Person, lane: RenderLane, ready: UUID, storage: Storage, settings: Settings
) -> None:
    before = ana.media(ready)["renditions"]["thumb"]["url"]
    assert not is_red(storage, settings, ready, 1)

    shown = point(ana, ready, LEFT)
    assert (shown["focal_point"], shown["renditions"]["thumb"]["url"]) == (LEFT, before)
    assert len(events(READY)) == 1, "the announcement comes with the thumbnail"
    assert lane.step()

    after = ana.media(ready)["renditions"]["thumb"]["url"]
    assert rendition_path(ready, "thumb", 2) in after != before
    assert is_red(storage, settings, ready, 2)
    assert not is_red(storage, settings, ready, 1), "bytes that were published never change"
    said = events(READY)[-1]
    assert said["focal_point"] == LEFT
    assert {each["name"]: each["version"] for each in said["renditions"]} == {
        "thumb": 2,
        "feed": 1,
        "full": 1,
    }
    assert tasks() == []
    assert not lane.step()


def test_the_old_thumbnail_leaves_s3_and_caches_once_nobody_is_led_to_it(
    ana: Person, lane: RenderLane, ready: UUID, storage: Storage
) -> None:
    point(ana, ready, LEFT)
    lane.step()
    remove_objects(storage)
    assert storage.size_of(rendition_key(ready, "thumb", 1)), "a gateway may be reading it"

    with reading() as reader:
        purged = reader.execute(select(CachePurge.path)).scalars().all()
    with transaction() as session:
        session.execute(update(ObjectRemoval).values(due_at=ObjectRemoval.due_at - timedelta(minutes=1)))
    remove_objects(storage)

    assert purged == [rendition_path(ready, "thumb", 1)]
    assert storage.size_of(rendition_key(ready, "thumb", 1)) is None
    assert storage.size_of(rendition_key(ready, "thumb", 2))


def test_a_point_from_before_it_is_ready_is_honoured_at_once(
    ana: Person, lane: RenderLane, storage: Storage, settings: Settings
) -> None:
    (media_id,) = ana.upload(WIDE)
    point(ana, media_id, LEFT)

    assert run(lane.photos) == 1

    assert tasks() == []
    assert is_red(storage, settings, media_id, 1)
    assert [event["focal_point"] for event in events(READY)] == [LEFT]


def test_a_point_that_moves_while_the_photo_is_processed_is_cut_after_it(
    ana: Person, lane: RenderLane, storage: Storage, settings: Settings
) -> None:
    (media_id,) = ana.upload(WIDE)
    with transaction() as session:
        claim = claim_next(session, now=utc_now())
    assert claim is not None
    point(ana, media_id, LEFT)

    lane.photos.finish(claim)
    assert not is_red(storage, settings, media_id, 1)
    lane.step()

    assert is_red(storage, settings, media_id, 2)


def test_the_newest_point_wins_also_while_a_worker_is_at_an_older_one(
    ana: Person, lane: RenderLane, ready: UUID, storage: Storage, settings: Settings
) -> None:
    point(ana, ready, RIGHT)
    with transaction() as session:
        claim = claim_thumb(session, now=utc_now())
    assert claim is not None
    point(ana, ready, LEFT)

    lane.finish(claim)
    assert thumb(ready).version == 1
    assert lane.step()
    assert not lane.step()

    assert is_red(storage, settings, ready, thumb(ready).version)
    assert [event["focal_point"] for event in events(READY)] == [None, LEFT]


def test_a_worker_killed_over_a_thumbnail_is_followed_by_another_that_writes_elsewhere(
    ana: Person, lane: RenderLane, ready: UUID, storage: Storage, settings: Settings
) -> None:
    point(ana, ready, LEFT)
    with transaction() as session:
        dead = claim_thumb(session, now=utc_now())
    assert dead is not None
    assert not lane.step(), "the lease is not over"
    move_due(due_at=utc_now())

    assert lane.step()
    shown = thumb(ready).version
    assert shown == dead.version + 1
    # It was only slow: what it wrote now is shown to nobody, and goes.
    lane.finish(dead)

    assert thumb(ready).version == shown
    assert is_red(storage, settings, ready, shown)
    remove_objects(storage)
    assert storage.size_of(dead.key) is None
    assert len(events(READY)) == 2


def test_an_outage_costs_neither_attempts_nor_versions(
    ana: Person, lane: RenderLane, ready: UUID, settings: Settings
) -> None:
    point(ana, ready, LEFT)
    away = RenderLane(
        PhotoLane(
            storage=Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")), limits=ChildLimits()
        )
    )
    for _ in range(MAX_ATTEMPTS + 1):
        move_due(due_at=utc_now())
        with transaction() as session:
            claim = claim_thumb(session, now=utc_now())
        assert claim is not None
        away.finish(claim)
    assert not away.cut_next(), "S3 is left alone"

    (task,) = tasks()
    assert (task.attempts, task.claim_id, item(ready).thumb_version) == (0, None, 2)
    move_due(due_at=utc_now())
    lane.step()
    assert thumb(ready).version == 2


def test_what_ends_its_worker_every_time_is_given_up_and_the_point_announced(
    ana: Person, lane: RenderLane, ready: UUID
) -> None:
    point(ana, ready, LEFT)
    move_due(attempts=MAX_ATTEMPTS)

    lane.step()

    assert tasks() == []
    assert thumb(ready).version == 1
    assert [event["focal_point"] for event in events(READY)] == [None, LEFT]


def test_a_photo_deleted_under_the_worker_leaves_no_version_in_s3(
    ana: Person, lane: RenderLane, ready: UUID, storage: Storage
) -> None:
    point(ana, ready, RIGHT)
    lane.step()
    point(ana, ready, LEFT)
    with transaction() as session:
        claim = claim_thumb(session, now=utc_now())
    assert claim is not None
    full = b"".join(storage.chunks(rendition_key(ready, "full")))

    assert ana.call("DELETE", f"/v1/media/{ready}").status_code == 204
    remove_objects(storage)
    # The worker had it before.
    storage.put(rendition_key(ready, "full"), full, content_type="image/webp")
    lane.finish(claim)
    assert storage.size_of(claim.key)
    remove_objects(storage)

    assert [storage.size_of(rendition_key(ready, "thumb", version)) for version in (1, 2, 3)] == [None] * 3
    assert tasks() == []


def test_a_thumbnail_is_counted_instead_of_the_one_before(ana: Person, lane: RenderLane, ready: UUID) -> None:
    point(ana, ready, LEFT)
    lane.step()

    usage = ana.call("GET", "/v1/media/usage").get_json()
    with reading() as reader:
        stored = reader.execute(text("SELECT sum(size_bytes) FROM renditions")).scalar_one()
    assert (usage["photos"], usage["stored_bytes"]) == (1, stored)


def test_a_lost_claim_shows_nothing(ana: Person, lane: RenderLane, ready: UUID) -> None:
    point(ana, ready, LEFT)
    with transaction() as session:
        first = claim_thumb(session, now=utc_now())
        second = claim_thumb(session, now=utc_now() + LEASE + timedelta(seconds=1))
    assert first is not None
    assert second is not None
    facts = thumb(ready)._asdict()
    del facts["media_id"]
    with transaction() as session:
        assert not finish_thumb(
            session, first, RenditionFacts(**{**facts, "version": first.version}), now=utc_now()
        )

    assert thumb(ready).version == 1
    assert [task.claim_id for task in tasks()] == [second.claim_id]

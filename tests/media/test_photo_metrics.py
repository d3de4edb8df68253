"""What an operator sees of photos that wait, and of how they end."""

from __future__ import annotations

from datetime import timedelta

from prometheus_client import REGISTRY

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs.photo_metrics import measure_photos
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.processing import claim_next
from media.conftest import Person, change, run

PHOTO = photos.jpeg(64, 48)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_what_waits_is_counted_with_the_age_of_the_oldest(ana: Person, ben: Person, lane: PhotoLane) -> None:
    ana.ask(PHOTO)  # Has not arrived: nobody can begin it.
    oldest, _, _ = ana.upload(*(photos.jpeg(64, 48, seed=n) for n in range(3)))
    change(oldest, uploaded_at=utc_now() - timedelta(seconds=90))
    run(lane)
    ben.upload(PHOTO)
    waiting = ana.upload(photos.jpeg(64, 48, seed=7), photos.jpeg(64, 48, seed=8))
    with transaction() as session:
        assert claim_next(session, now=utc_now())
    change(waiting[1], uploaded_at=utc_now() - timedelta(seconds=60))

    measure_photos()

    assert value("igloo_media_photos_waiting") == 2
    assert 60 <= value("igloo_media_oldest_photo_waiting_seconds") < 80
    assert value("igloo_media_photos_in_process") == 1


def test_how_photos_end_is_counted(ana: Person, lane: PhotoLane) -> None:
    names = ("ready", "unreadable_image", "given_back")
    before = [value("igloo_media_photos_total", outcome=name) for name in names]
    deaths = value("igloo_media_child_deaths_total", code="processing_timeout")
    turns = value("igloo_media_photo_seconds_count")
    ana.upload(PHOTO, photos.BROKEN_JPEG)
    run(lane)
    slow = PhotoLane(storage=lane.storage, limits=ChildLimits(wall_seconds=0.0))

    ana.upload(photos.jpeg(64, 48, seed=2))
    run(slow)
    slow.close()

    after = [value("igloo_media_photos_total", outcome=name) for name in names]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]
    assert value("igloo_media_child_deaths_total", code="processing_timeout") == deaths + 1
    assert value("igloo_media_photo_seconds_count") == turns + 3


def test_nothing_waits_when_all_is_done(ana: Person, lane: PhotoLane) -> None:
    ana.upload(PHOTO)
    run(lane)

    measure_photos()

    assert value("igloo_media_photos_waiting") == 0
    assert value("igloo_media_oldest_photo_waiting_seconds") == 0

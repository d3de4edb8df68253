"""What the formats of phones leave in the database and in S3, from the upload to the row."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from io import BytesIO

import pytest
import requests
from PIL import Image
from sqlalchemy import select

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import reading
from igloo_media.jobs.processing import PhotoLane
from igloo_media.models import Rendition
from igloo_media.policies.objects import rendition_key
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, change, item, run
from media.rendering import colour, is_close

LEFT, RIGHT = (200, 30, 30), (30, 30, 200)


def animated(media_id: object) -> dict[str, bool]:
    """Return which renditions of a photo move."""
    with reading() as reader:
        rows = reader.execute(
            select(Rendition.name, Rendition.is_animated).where(Rendition.media_id == media_id)
        )
        return {row.name: row.is_animated for row in rows}


@pytest.mark.parametrize(
    ("make", "frames"),
    [
        (lambda: photos.heic(photos.picture(96, 64)), 1),
        (lambda: photos.encoded(photos.picture(96, 64), ".avif", effort=0), 1),
        (lambda: photos.animated_gif(3), 3),
    ],
    ids=["heic", "avif", "gif"],
)
def test_a_file_becomes_ready_with_all_that_is_known_of_it(
    ana: Person, lane: PhotoLane, make: Callable[[], bytes], frames: int
) -> None:
    file = make()
    (media_id,) = ana.upload(file)

    assert run(lane) == 1

    row = item(media_id)
    assert (row.state, row.frames, row.content_sha256) == ("ready", frames, sha256(file).digest())
    assert set(row.receipt) == {"removed", "kept"}
    assert animated(media_id) == {"thumb": False, "feed": frames > 1, "full": frames > 1}


def test_the_receipt_of_a_photo_is_kept_with_it(ana: Person, lane: PhotoLane) -> None:
    (media_id,) = ana.upload(photos.located_jpeg())

    run(lane)

    receipt = item(media_id).receipt
    assert {"camera", "exif", "position"} <= set(receipt["removed"])
    assert receipt["kept"] == ["color_profile"]


def test_the_focal_point_of_an_upload_is_where_its_first_thumbnail_is_cut(
    ana: Person, lane: PhotoLane, storage: Storage, settings: Settings
) -> None:
    wide = photos.flat(900, 300, *LEFT).insert(photos.flat(450, 300, *RIGHT), 450, 0)
    (media_id,) = ana.upload(photos.encoded(wide, ".png"))
    change(media_id, focal_x=0.9, focal_y=0.5)

    run(lane)

    address = storage.read_address(rendition_key(media_id, "thumb"), now=utc_now())
    stored = requests.get(f"{settings.storage.endpoint}{address}", timeout=10)
    with Image.open(BytesIO(stored.content)) as thumb:
        assert is_close(colour(thumb, 5, 150), RIGHT)

"""A part of the corpus through the whole service: sent to S3 as what it is not, processed, and looked at."""

from __future__ import annotations

import requests

from igloo_common.clock import utc_now
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.policies.objects import original_key, rendition_key
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.conftest import Person, events, run
from media.corpus import CORPUS
from media.corpus.case import Ready, Refused
from media.corpus.leaks import leaks_in
from media.corpus.secrets import PLANTED

# All of them are announced as JPEG, whatever they are.
SENT = (
    "jpeg-orientation-6",
    "jpeg-position-little-endian",
    "jpeg-second-picture-with-a-position",
    "jpeg-and-zip",
    "jpeg-cmyk",
    "jpeg-profile-smuggles-words",
    "png-position",
    "png-and-php",
    "webp-position",
    "gif-disposal-2",
    "heic-position",
    "heic-grid",
    "avif-position",
    "svg-with-script",
    "film-with-the-brand-of-photos",
    "png-60000x60000",
    "gif-10000-frames",
    "heic-cut-at-5-tenths",
)
BATCH = 10


def test_files_of_every_kind_end_as_they_must_through_the_whole_service(
    ana: Person, lane: PhotoLane, storage: Storage, settings: Settings
) -> None:
    cases = [next(case for case in CORPUS if case.name == name) for name in SENT]
    files = [case.make() for case in cases]
    media_ids = [
        media_id
        for start in range(0, len(files), BATCH)
        for media_id in ana.upload(*files[start : start + BATCH])
    ]

    run(lane)
    remove_objects(storage)

    for case, media_id in zip(cases, media_ids, strict=True):
        shown = ana.media(media_id)
        assert storage.size_of(original_key(ana.id, media_id)) is None, case.name
        if isinstance(case.expected, Refused):
            assert (shown["state"], shown["failure"]["code"]) == ("failed", case.expected.code), case.name
            continue
        assert isinstance(case.expected, Ready)
        assert shown["state"] == "ready", case.name
        assert (shown["width"], shown["height"]) == (case.expected.width, case.expected.height), case.name
        assert case.expected.told <= set(shown["privacy_receipt"]["removed"]), case.name
        for name, rendition in shown["renditions"].items():
            moving = case.expected.frames > 1 and name != "thumb"
            assert rendition["is_animated"] == moving, case.name
            address = storage.read_address(rendition_key(media_id, name), now=utc_now())
            stored = requests.get(f"{settings.storage.endpoint}{address}", timeout=10).content
            assert leaks_in(stored) == [], case.name
    told = repr([*events("media.item.ready.v1"), *events("media.item.failed.v1")]).encode()
    assert [word for word in PLANTED if word in told] == []

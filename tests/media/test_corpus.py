"""Every file of the corpus through the real child: what must come of it comes, and nothing else goes out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from igloo_media.images import ImageRejected, Photo, Renderer
from igloo_media.images.limits import ChildLimits
from media.corpus import CORPUS, Case
from media.corpus.case import Ready, Refused
from media.corpus.leaks import leaks_in

SIDES = {"thumb": 320, "feed": 1080, "full": 2048}
# What a file of any size may become: three sizes of at most 2048 pixels.
MAX_RENDITIONS_BYTES = 4_000_000


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    renderer = Renderer(ChildLimits())
    yield renderer
    renderer.close()


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_what_must_come_of_a_file_comes_and_nothing_else_goes_out(
    renderer: Renderer, tmp_path: Path, case: Case
) -> None:
    source = tmp_path / "original"
    source.write_bytes(case.make())

    outcome = _outcome(renderer, source, tmp_path)

    if isinstance(case.expected, Refused):
        assert isinstance(outcome, ImageRejected), outcome
        assert outcome.code == case.expected.code
    else:
        assert isinstance(outcome, Photo), outcome
        _check(outcome, case.expected)


def test_the_corpus_is_large_and_the_same_every_time() -> None:
    names = [case.name for case in CORPUS]

    assert len(set(names)) == len(names) > 200
    # One of each encoder is enough: everything else is put together by hand.
    encoded = [
        case
        for case in CORPUS
        if case.name in {"jpeg-cmyk", "heic-position", "avif-position", "webp-animated"}
    ]
    assert [case.make() for case in encoded] == [case.make() for case in encoded]


@pytest.mark.parametrize("name", ["webp-position", "jpeg-position-little-endian", "webp-and-html"])
def test_the_search_for_leaks_finds_what_the_corpus_planted(name: str) -> None:
    case = next(case for case in CORPUS if case.name == name)

    assert leaks_in(case.make())


def test_a_position_is_found_by_each_reader_on_its_own() -> None:
    case = next(case for case in CORPUS if case.name == "webp-position")

    found = " ".join(leaks_in(case.make()))

    for sign in (
        "holds b'GPS'",
        "ExifRead sees GPS GPSLatitude",
        "Pillow sees EXIF 34853",
        "Pillow sees xmp",
        "chunk b'EXIF'",
    ):
        assert sign in found


def _outcome(renderer: Renderer, source: Path, folder: Path) -> Photo | ImageRejected:
    try:
        return renderer.render(source, folder)
    except ImageRejected as rejected:
        return rejected


def _check(photo: Photo, expected: Ready) -> None:
    assert (photo.width, photo.height) == (expected.width, expected.height)
    assert expected.told <= set(photo.receipt.removed)
    assert {each.name for each in photo.renditions} == set(SIDES)
    assert sum(each.size_bytes for each in photo.renditions) <= MAX_RENDITIONS_BYTES
    for each in photo.renditions:
        data = each.path.read_bytes()
        assert leaks_in(data) == []
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == ("WEBP", (each.width, each.height))
            assert max(image.size) <= SIDES[each.name]
            frames = 1 if each.name == "thumb" else expected.frames
            assert getattr(image, "n_frames", 1) == frames
            _look_at(image, upright=expected.marked)


def _look_at(image: Image.Image, *, upright: bool) -> None:
    """Decode all of a rendition, and see that its red quarter is where it belongs."""
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        image.load()
    if upright:
        image.seek(0)
        plain = image.convert("RGB")
        right, bottom = image.width * 7 // 8, image.height * 7 // 8
        places = (
            (image.width // 8, image.height // 8),
            (right, image.height // 8),
            (image.width // 8, bottom),
        )
        assert [_is_red(plain, place) for place in (*places, (right, bottom))] == [True, False, False, False]


def _is_red(image: Image.Image, place: tuple[int, int]) -> bool:
    red, green, blue = image.crop((*place, place[0] + 1, place[1] + 1)).tobytes()
    return red > 180 and green < 90 and blue < 90

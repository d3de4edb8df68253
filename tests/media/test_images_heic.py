"""HEIC and AVIF: as phones make them, as they lie, and each turned upright once."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
import pyvips
from PIL import Image

from factories import photos
from igloo_media.images import Renderer
from igloo_media.images.limits import ChildLimits
from media.rendering import STORED, colour, is_close, opened, refusal, render, rendition

RED, GREY = (255, 0, 0), (128, 128, 128)
# The red primary of Display P3 as profiles hold it: X, Y and Z in s15Fixed16.
P3_RED = struct.pack(">iii", 33_759, 15_807, 0)
CORNERS = photos.corners(320, 192)


def turned_heic(image: Any, *, by_container: int, by_exif: int) -> bytes:  # noqa: ANN401 - pyvips has no types
    """Return a HEIC of stored pixels, with one orientation in its container and one in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = by_container
    # The writer puts into the container what EXIF says, and mends EXIF no longer: this is done below.
    file = photos.saved_heic(pillow_heif.from_pillow(photos.as_pillow(image)), exif=exif.tobytes())
    noted = exif.tobytes()[6:]
    assert file.count(noted) == 1
    exif[0x0112] = by_exif
    return file.replace(noted, exif.tobytes()[6:])


def test_a_heic_becomes_the_same_three_sizes(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.heic(photos.corners(1600, 1200)))

    assert (photo.width, photo.height, photo.frames) == (1600, 1200, 1)
    assert [(each.name, each.width, each.height) for each in photo.renditions] == [
        ("thumb", 320, 320),
        ("feed", 1080, 810),
        ("full", 1600, 1200),
    ]
    with opened(photo, "full") as image:
        assert image.format == "WEBP"
        assert is_close(colour(image, 100, 100), RED)
        assert is_close(colour(image, 1500, 1100), GREY)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_the_container_says_about_orientation_is_applied_once(
    renderer: Renderer, tmp_path: Path, orientation: int
) -> None:
    stored = STORED[orientation](CORNERS)
    file = turned_heic(stored, by_container=orientation, by_exif=orientation)

    photo = render(renderer, tmp_path, file)

    assert (photo.width, photo.height) == (320, 192)
    with opened(photo, "full") as image:
        assert image.size == (320, 192)
        places = [(30, 30), (290, 30), (30, 160), (290, 160)]
        assert [is_close(colour(image, *place), RED, within=40) for place in places] == [
            True,
            False,
            False,
            False,
        ]


def test_the_orientation_in_exif_alone_turns_no_heic(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, turned_heic(CORNERS, by_container=1, by_exif=6))

    assert (photo.width, photo.height) == (320, 192)


def test_a_heic_made_of_tiles_is_whole(renderer: Renderer, tmp_path: Path) -> None:
    tiled = photos.heic(photos.corners(640, 480), tile_size=128)
    assert b"grid" in tiled

    photo = render(renderer, tmp_path, tiled)

    with opened(photo, "full") as image:
        assert image.size == (640, 480)
        assert is_close(colour(image, 300, 220), RED)
        assert is_close(colour(image, 340, 260), GREY)


def test_ten_bits_become_eight_of_the_same_colour(renderer: Renderer, tmp_path: Path) -> None:
    deep = photos.flat(64, 64, 200, 100, 50).cast("ushort") * 257
    file = pillow_heif.from_bytes("RGB;16", (64, 64), bytes(deep.cast("ushort").write_to_memory()))

    photo = render(renderer, tmp_path, photos.saved_heic(file))

    assert photo.dominant_color == "#c86432" or is_close(
        tuple(bytes.fromhex(photo.dominant_color[1:])), (200, 100, 50), within=2
    )
    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), (200, 100, 50), within=6)


def test_the_transparency_of_a_heic_stays(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.heic(photos.flat(64, 64, 200, 100, 50).bandjoin(100)))

    with opened(photo, "full") as image:
        assert image.mode == "RGBA"
        assert abs(image.getchannel("A").tobytes()[0] - 100) < 4


def test_a_grey_heic_is_taken(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.heic(photos.flat(64, 64, 90)))

    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), (90, 90, 90))


def test_display_p3_that_is_named_but_not_described_gets_its_profile(
    renderer: Renderer, tmp_path: Path
) -> None:
    named = photos.heic(photos.flat(64, 64, 200, 50, 50), color_primaries=12, transfer_characteristics=13)

    photo = render(renderer, tmp_path, named)

    with opened(photo, "full") as image:
        assert P3_RED in bytes(pyvips.Image.profile_load("p3"))
        assert P3_RED in image.info["icc_profile"]
    assert photo.receipt.kept == ("color_profile",)


def test_only_the_main_picture_of_a_heic_is_taken(renderer: Renderer, tmp_path: Path) -> None:
    file = pillow_heif.from_pillow(photos.as_pillow(photos.flat(64, 64, 10, 20, 30)))
    file.add_from_pillow(photos.as_pillow(photos.flat(96, 96, 200, 100, 50)))
    file.primary_index = 1

    photo = render(renderer, tmp_path, photos.saved_heic(file, primary_index=1))

    assert (photo.width, photo.height) == (96, 96)
    assert "embedded_pictures" in photo.receipt.removed


@pytest.mark.parametrize("size", [(20_000, 20_000), (100, 100), (0, 0)], ids=["huge", "small", "nothing"])
def test_a_heic_that_lies_about_its_size_is_refused(
    renderer: Renderer, tmp_path: Path, size: tuple[int, int]
) -> None:
    honest = photos.heic(photos.corners(640, 480))
    told = b"ispe" + struct.pack(">III", 0, 640, 480)
    assert told in honest

    rejected = refusal(renderer, tmp_path, honest.replace(told, b"ispe" + struct.pack(">III", 0, *size)))

    assert rejected.code == ("too_many_pixels" if size[0] > 10_000 else "unreadable_image")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_heic_that_ends_early_is_refused(renderer: Renderer, tmp_path: Path, share: float) -> None:
    whole = photos.heic(photos.picture(320, 240))

    assert refusal(renderer, tmp_path, whole[: int(len(whole) * share)]).code == "unreadable_image"


def test_the_library_for_heic_comes_with_the_first_heic(tmp_path: Path) -> None:
    renderer = Renderer(ChildLimits())
    try:
        render(renderer, tmp_path, photos.jpeg(64, 48))
        before = Path(f"/proc/{renderer.child_id}/maps").read_text()
        render(renderer, tmp_path, photos.heic(photos.picture(64, 48)))
        after = Path(f"/proc/{renderer.child_id}/maps").read_text()
    finally:
        renderer.close()

    assert ("libde265" in before, "libde265" in after) == (False, True)


def test_an_avif_is_turned_by_its_container_once(renderer: Renderer, tmp_path: Path) -> None:
    stored = CORNERS.rot270().copy()
    stored.set_type(pyvips.GValue.gint_type, "orientation", 6)

    photo = render(renderer, tmp_path, photos.encoded(stored, ".avif", effort=0))

    assert (photo.width, photo.height) == (320, 192)
    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), RED, within=40)
        assert is_close(colour(image, 290, 160), GREY, within=40)


def test_an_avif_of_twelve_bits_becomes_eight(renderer: Renderer, tmp_path: Path) -> None:
    deep = (photos.flat(64, 64, 200, 100, 50).cast("ushort") * 257).copy(interpretation="rgb16")

    photo = render(renderer, tmp_path, photos.encoded(deep, ".avif", effort=0, bitdepth=12))

    assert rendition(photo, "full").width == 64
    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), (200, 100, 50))


def test_the_first_picture_of_an_avif_that_moves_is_kept(renderer: Renderer, tmp_path: Path) -> None:
    frames = [photos.as_pillow(photos.flat(64, 64, *one)) for one in ((200, 0, 0), (0, 200, 0))]
    written = io.BytesIO()
    frames[0].save(written, "AVIF", save_all=True, append_images=frames[1:], speed=10)

    photo = render(renderer, tmp_path, written.getvalue())

    assert photo.frames == 1
    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), (200, 0, 0))

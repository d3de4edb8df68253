"""Rendering photos in the child process: what comes out, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from factories import photos
from igloo_media.images import Renderer
from media.rendering import STORED, opened, refusal, render

SIZES = {"thumb", "feed", "full"}


def test_a_large_photo_becomes_three_webp_sizes(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.jpeg(3000, 2000))

    sizes = {each.name: (each.width, each.height) for each in photo.renditions}
    assert (photo.width, photo.height) == (3000, 2000)
    assert sizes == {"thumb": (320, 320), "feed": (1080, 720), "full": (2048, 1365)}
    for each in photo.renditions:
        with opened(photo, each.name) as image:
            assert (image.format, image.size) == ("WEBP", (each.width, each.height))
        assert each.size_bytes == each.path.stat().st_size


@pytest.mark.parametrize(
    ("width", "height", "thumb"), [(200, 100, (100, 100)), (400, 300, (300, 300)), (1, 1, (1, 1))]
)
def test_a_small_photo_is_never_enlarged(
    renderer: Renderer, tmp_path: Path, width: int, height: int, thumb: tuple[int, int]
) -> None:
    photo = render(renderer, tmp_path, photos.encoded(photos.picture(width, height), ".png"))

    sizes = {each.name: (each.width, each.height) for each in photo.renditions}
    assert sizes == {"thumb": thumb, "feed": (width, height), "full": (width, height)}


def test_an_extremely_wide_photo_keeps_a_row_of_pixels(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.encoded(photos.picture(30_000, 1), ".png"))

    assert {(each.width, each.height) for each in photo.renditions} == {(1, 1), (1080, 1), (2048, 1)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(renderer: Renderer, tmp_path: Path, orientation: int) -> None:
    upright = photos.corners(600, 400)
    stored = STORED[orientation](upright)

    photo = render(renderer, tmp_path, photos.turned_jpeg(stored, orientation))

    assert (photo.width, photo.height) == (600, 400)
    with opened(photo, "feed") as image:
        assert image.size == (600, 400)
        red, green, blue = image.convert("RGB").getpixel((50, 50))  # type: ignore[misc]  # three bands
        assert (red > 200, green < 60, blue < 60) == (True, True, True)
        assert image.convert("RGB").getpixel((550, 350))[0] < 160  # type: ignore[index]  # three bands


def test_position_and_camera_are_stripped_and_the_colour_profile_stays(
    renderer: Renderer, tmp_path: Path
) -> None:
    original = photos.located_jpeg()
    with Image.open(io.BytesIO(original)) as image:
        assert image.getexif().get_ifd(0x8825), "the test photo must carry a position to lose"

    photo = render(renderer, tmp_path, original)

    assert {each.name for each in photo.renditions} == SIZES
    for each in photo.renditions:
        with opened(photo, each.name) as image:
            assert not image.getexif()
            assert "xmp" not in image.info
            assert "exif" not in image.info
            assert image.info.get("icc_profile")
        assert b"Acme" not in each.path.read_bytes()


def test_a_cmyk_photo_becomes_rgb_without_its_printer_profile(renderer: Renderer, tmp_path: Path) -> None:
    cmyk = photos.picture(300, 200).icc_transform("cmyk", input_profile="srgb")

    photo = render(renderer, tmp_path, photos.encoded(cmyk, ".jpg"))

    with opened(photo, "feed") as image:
        assert image.mode == "RGB"
        profile = image.info.get("icc_profile")
        assert profile is None or profile[16:20] == b"RGB "


def test_sixteen_bits_and_transparency_are_taken(renderer: Renderer, tmp_path: Path) -> None:
    deep = (photos.picture(300, 200).cast("ushort") * 256).copy(interpretation="rgb16")
    glass = photos.picture(300, 200).bandjoin(100)

    assert render(renderer, tmp_path, photos.encoded(deep, ".png")).width == 300
    photo = render(renderer, tmp_path, photos.encoded(glass, ".png"))

    with opened(photo, "feed") as image:
        assert image.mode == "RGBA"


def test_placeholders_describe_the_photo(renderer: Renderer, tmp_path: Path) -> None:
    red = photos.encoded(photos.flat(90, 60, 200, 20, 40), ".png")

    photo = render(renderer, tmp_path, red)

    assert photo.dominant_color == "#c81428"
    assert len(photo.blurhash) == 28
    assert photo.blurhash[0] == "L"  # four components across and three down


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: b"", "unsupported_format"),
        (lambda: b"hello, I am a text", "unsupported_format"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "unsupported_format"),
        (lambda: photos.BROKEN_JPEG, "unreadable_image"),
        (lambda: photos.jpeg(800, 600)[:-20_000], "unreadable_image"),
        (lambda: photos.encoded(photos.picture(300, 200), ".png")[:-5_000], "unreadable_image"),
        (lambda: photos.encoded(photos.picture(300, 200), ".webp")[:-500], "unreadable_image"),
        (lambda: photos.png_bomb(30_000, 30_000), "too_many_pixels"),
        (lambda: photos.png_bomb(5_000, 5_000), "unreadable_image"),
        (lambda: photos.animated_gif(61), "too_many_frames"),
    ],
    ids=[
        "empty",
        "text",
        "svg",
        "broken jpeg",
        "truncated jpeg",
        "truncated png",
        "truncated webp",
        "900 megapixels",
        "png that ends early",
        "61 frames",
    ],
)
def test_what_is_no_photo_is_refused_with_a_reason(
    renderer: Renderer, tmp_path: Path, make: Callable[[], bytes], code: str
) -> None:
    assert refusal(renderer, tmp_path, make()).code == code

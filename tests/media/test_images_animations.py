"""GIF and WebP that move: they go on moving, within caps, and their thumbnail stands still."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence

from factories import photos
from igloo_media.images import Photo, Renderer
from media.rendering import colour, is_close, opened, refusal, render, rendition

COLORS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]


def frames(width: int = 96, height: int = 64) -> list[Any]:
    """Return frames of one colour each."""
    return [photos.flat(width, height, *color) for color in COLORS]


def seen(photo: Photo, name: str) -> list[tuple[tuple[int, ...], int]]:
    """Return the middle colour and the milliseconds of each frame of a rendition, as Pillow plays it."""
    with opened(photo, name) as image:
        # Pillow tells a frame's time only once it is decoded.
        played = [(frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(image)]
    return [(colour(frame, frame.width // 2, frame.height // 2), shown) for frame, shown in played]


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_goes_on_moving_and_its_thumbnail_stands_still(
    renderer: Renderer, tmp_path: Path, suffix: str
) -> None:
    original = photos.animation(frames(), delays=[40, 80, 120, 160], loop=3, suffix=suffix)

    photo = render(renderer, tmp_path, original)

    assert (photo.width, photo.height, photo.frames) == (96, 64, 4)
    assert [(each.name, each.is_animated) for each in photo.renditions] == [
        ("thumb", False),
        ("feed", True),
        ("full", True),
    ]
    for name in ("feed", "full"):
        shown = seen(photo, name)
        assert [milliseconds for _, milliseconds in shown] == [40, 80, 120, 160]
        assert all(is_close(found, color) for (found, _), color in zip(shown, COLORS, strict=True))
        with opened(photo, name) as image:
            assert image.info["loop"] == 3
    with opened(photo, "thumb") as image:
        assert (getattr(image, "n_frames", 1), image.size) == (1, (64, 64))
        assert is_close(colour(image, 32, 32), COLORS[0])


def test_each_frame_is_made_smaller_on_its_own(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.animation(frames(1201, 601)))

    sizes = {each.name: (each.width, each.height) for each in photo.renditions}
    assert sizes == {"thumb": (320, 320), "feed": (720, 360), "full": (1080, 540)}
    with opened(photo, "feed") as image:
        for n, frame in enumerate(ImageSequence.Iterator(image)):
            # No row of a frame is mixed with the next one's.
            for y in (0, frame.height - 1):
                assert is_close(colour(frame, 360, y), COLORS[n])


def test_many_frames_are_kept_smaller(renderer: Renderer, tmp_path: Path) -> None:
    still = photos.flat(900, 30, 90, 120, 150)
    moving = [still.insert(photos.flat(15, 30, 255, 255, 255), 15 * n, 0) for n in range(60)]

    photo = render(renderer, tmp_path, photos.animation(moving))

    sizes = {each.name: each.width for each in photo.renditions}
    assert sizes == {"thumb": 24, "feed": 500, "full": 707}
    assert len(seen(photo, "full")) == 60
    with opened(photo, "full") as image:
        image.seek(59)
        assert is_close(colour(image, 703, 12), (255, 255, 255))
        assert is_close(colour(image, 600, 12), (90, 120, 150))


@pytest.mark.parametrize(("told", "kept"), [(0, 100), (15, 100), (20, 20), (2_000, 2_000)])
def test_frames_that_are_hardly_there_last_as_long_as_in_a_browser(
    renderer: Renderer, tmp_path: Path, told: int, kept: int
) -> None:
    photo = render(renderer, tmp_path, photos.animation(frames(), delays=[told] * 4, suffix=".webp"))

    assert {milliseconds for _, milliseconds in seen(photo, "full")} == {kept}


def test_frames_that_build_on_each_other_are_put_together(renderer: Renderer, tmp_path: Path) -> None:
    ground = Image.new("P", (40, 40), 0)
    ground.putpalette([200, 30, 30, 30, 30, 200])
    patch = Image.new("P", (40, 40), 0)
    patch.putpalette([200, 30, 30, 30, 30, 200])
    patch.paste(1, (0, 0, 20, 20))
    written = io.BytesIO()
    ground.save(written, "GIF", save_all=True, append_images=[patch], duration=50, optimize=False)

    photo = render(renderer, tmp_path, written.getvalue())

    with opened(photo, "full") as image:
        image.seek(1)
        assert is_close(colour(image, 8, 8), COLORS[2], within=40)
        assert is_close(colour(image, 32, 32), COLORS[0], within=40)


def test_transparency_moves_as_well(renderer: Renderer, tmp_path: Path) -> None:
    glass = [
        photos.flat(32, 32, *color).bandjoin(alpha)
        for color, alpha in zip(COLORS, (0, 80, 160, 255), strict=True)
    ]

    photo = render(renderer, tmp_path, photos.animation(glass, suffix=".webp", lossless=True))

    with opened(photo, "full") as image:
        alphas = [
            frame.convert("RGBA").getchannel("A").tobytes()[0] for frame in ImageSequence.Iterator(image)
        ]
    assert [round(alpha / 80) for alpha in alphas] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("count", "width", "code"),
    [(61, 8, "too_many_frames"), (60, 1_300, "animation_too_large")],
)
def test_an_animation_beyond_the_caps_is_refused_and_never_cut(
    renderer: Renderer, tmp_path: Path, count: int, width: int, code: str
) -> None:
    still = photos.flat(8, 8, 90, 120, 150)
    moving = [still.insert(photos.flat(1, 1, 255, 255, 255), n % 8, n // 8) for n in range(count)]
    gif = photos.animation(moving)

    # The size of the screen that all frames are drawn on.
    rejected = refusal(renderer, tmp_path, gif[:6] + struct.pack("<HH", width, width) + gif[10:])

    assert rejected.code == code
    assert str(count) in str(rejected)


def test_the_first_picture_of_a_png_that_moves_is_kept(renderer: Renderer, tmp_path: Path) -> None:
    moving = [photos.as_pillow(frame) for frame in frames()]
    written = io.BytesIO()
    moving[0].save(written, "PNG", save_all=True, append_images=moving[1:])
    assert b"acTL" in written.getvalue()

    photo = render(renderer, tmp_path, written.getvalue())

    assert (photo.frames, rendition(photo, "full").is_animated) == (1, False)
    with opened(photo, "full") as image:
        assert is_close(colour(image, 40, 30), COLORS[0])


def test_an_animation_that_ends_early_is_refused(renderer: Renderer, tmp_path: Path) -> None:
    whole = photos.animation(frames(), suffix=".webp")

    assert refusal(renderer, tmp_path, whole[: len(whole) - 20]).code == "unreadable_image"

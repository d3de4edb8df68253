"""Thumbnails: a square around the point where the eye falls, cut with the photo or anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from factories import photos
from igloo_media.images import ImageRejected, Renderer
from media.rendering import colour, is_close, opened, render, rendition

LEFT, MIDDLE, RIGHT = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def stripes() -> Any:  # noqa: ANN401 - pyvips has no types
    """Return a wide photo of three squares."""
    return (
        photos.flat(1200, 400, *LEFT)
        .insert(photos.flat(400, 400, *MIDDLE), 400, 0)
        .insert(photos.flat(400, 400, *RIGHT), 800, 0)
    )


@pytest.mark.parametrize(
    ("focal_point", "shown"),
    [
        (None, MIDDLE),
        ((0.5, 0.5), MIDDLE),
        ((1 / 6, 0.5), LEFT),
        ((0.0, 0.0), LEFT),
        ((1.0, 1.0), RIGHT),
        ((5 / 6, 0.1), RIGHT),
    ],
)
@pytest.mark.parametrize("is_tall", [False, True], ids=["wide", "tall"])
def test_the_square_is_cut_around_the_focal_point(
    renderer: Renderer,
    tmp_path: Path,
    focal_point: tuple[float, float] | None,
    shown: tuple[int, int, int],
    is_tall: bool,
) -> None:
    # Turned about the diagonal: what was across is down.
    image = stripes().rot90().fliphor() if is_tall else stripes()
    turned = focal_point[::-1] if focal_point and is_tall else focal_point

    photo = render(renderer, tmp_path, photos.encoded(image, ".png"), focal_point=turned)

    with opened(photo, "thumb") as thumb:
        assert thumb.size == (320, 320)
        for place in ((6, 6), (160, 160), (313, 313)):
            assert is_close(colour(thumb, *place), shown, within=40)


def test_a_point_between_two_squares_shows_half_of_each(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.encoded(stripes(), ".png"), focal_point=(2 / 3, 0.5))

    with opened(photo, "thumb") as thumb:
        assert is_close(colour(thumb, 20, 160), MIDDLE)
        assert is_close(colour(thumb, 300, 160), RIGHT)


def test_the_focal_point_is_one_of_the_upright_photo(renderer: Renderer, tmp_path: Path) -> None:
    stored = stripes().rot270()

    photo = render(renderer, tmp_path, photos.turned_jpeg(stored, 6), focal_point=(0.9, 0.5))

    assert (photo.width, photo.height) == (1200, 400)
    with opened(photo, "thumb") as thumb:
        assert is_close(colour(thumb, 160, 160), RIGHT)


def test_the_thumbnail_of_a_panorama_has_all_the_rows_there_are(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.encoded(photos.flat(3000, 600, 9, 9, 9), ".png"))

    assert rendition(photo, "feed").height == 216
    assert rendition(photo, "thumb").height == 320


@pytest.mark.parametrize("suffix", [".png", ".gif"])
def test_a_thumbnail_cut_anew_is_the_one_that_would_have_been_cut(
    renderer: Renderer, tmp_path: Path, suffix: str
) -> None:
    original = (
        photos.animation([stripes(), stripes().flipver()])
        if suffix == ".gif"
        else photos.encoded(stripes(), suffix)
    )
    photo = render(renderer, tmp_path, original)
    again = tmp_path / "again"
    again.mkdir()

    cut = renderer.cut_thumb(rendition(photo, "full").path, again, (0.1, 0.5))

    assert (cut.name, cut.width, cut.height, cut.is_animated) == ("thumb", 320, 320, False)
    assert (cut.content_type, cut.size_bytes) == ("image/webp", cut.path.stat().st_size)
    assert cut.path.parent == again
    with Image.open(cut.path) as thumb:
        assert is_close(colour(thumb, 160, 160), LEFT)


def test_nothing_but_a_rendition_is_cut_anew(renderer: Renderer, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(photos.jpeg(64, 48))

    with pytest.raises(ImageRejected) as rejected:
        renderer.cut_thumb(source, tmp_path, None)

    assert rejected.value.code == "unreadable_image"

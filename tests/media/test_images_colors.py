"""Colours: what a screen shows of a rendition is what the photo showed, and placeholders are sRGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image

from factories import photos
from igloo_media.images import Renderer
from media.rendering import colour, is_close, opened, render

SEEN = (200, 50, 50)


def described(image: Any, profile: bytes) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return the image with a colour profile."""
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image


def in_srgb(image: Any, profile: str) -> tuple[int, ...]:  # noqa: ANN401 - pyvips has no types
    """Return the first pixel as sRGB has it."""
    shown = described(image, bytes(pyvips.Image.profile_load(profile))).icc_transform("srgb", embedded=True)
    return tuple(round(band) for band in shown(0, 0))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif", ".heic"])
def test_wide_colours_stay_wide_and_placeholders_are_srgb(
    renderer: Renderer, tmp_path: Path, suffix: str
) -> None:
    flat = photos.flat(64, 64, *SEEN)
    profile = bytes(pyvips.Image.profile_load("p3"))
    if suffix == ".heic":
        file = photos.heic(flat, icc_profile=profile)
    else:
        file = photos.encoded(described(flat, profile), suffix)

    photo = render(renderer, tmp_path, file)

    assert photo.receipt.kept == ("color_profile",)
    with opened(photo, "full") as image:
        assert image.info["icc_profile"][16:20] == b"RGB "
        assert is_close(colour(image, 30, 30), SEEN, within=4)
    dominant = tuple(bytes.fromhex(photo.dominant_color[1:]))
    assert is_close(dominant, in_srgb(flat, "p3"), within=4)
    assert not is_close(dominant, SEEN, within=8)


@pytest.mark.parametrize("profile", [b"", b"RGB ", b"\x00" * 200, bytes(range(256)) * 1_000])
def test_a_broken_profile_goes_and_the_colours_stay(
    renderer: Renderer, tmp_path: Path, profile: bytes
) -> None:
    photo = render(
        renderer, tmp_path, photos.encoded(described(photos.flat(64, 64, *SEEN), profile), ".jpg", Q=95)
    )

    assert photo.receipt.kept == ()
    with opened(photo, "full") as image:
        assert "icc_profile" not in image.info
        assert is_close(colour(image, 30, 30), SEEN, within=4)


@pytest.mark.parametrize("bands", [1, 2])
def test_grey_becomes_grey(renderer: Renderer, tmp_path: Path, bands: int) -> None:
    grey = photos.flat(64, 64, *(90, 255)[:bands]).copy(interpretation="b-w")

    photo = render(renderer, tmp_path, photos.encoded(grey, ".png"))

    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), (90, 90, 90), within=3)
    assert photo.dominant_color == "#5a5a5a"


def test_a_palette_is_resolved(renderer: Renderer, tmp_path: Path) -> None:
    few = photos.flat(64, 64, *SEEN).insert(photos.flat(32, 64, 20, 120, 220), 0, 0)

    photo = render(renderer, tmp_path, photos.encoded(few, ".png", palette=True, bitdepth=1))

    with opened(photo, "full") as image:
        assert is_close(colour(image, 8, 30), (20, 120, 220))
        assert is_close(colour(image, 56, 30), SEEN)


def test_printed_colours_become_those_of_a_screen(renderer: Renderer, tmp_path: Path) -> None:
    cmyk = photos.flat(64, 64, *SEEN).icc_transform("cmyk", input_profile="srgb")

    photo = render(renderer, tmp_path, photos.encoded(cmyk, ".jpg", Q=95))

    with opened(photo, "full") as image:
        assert is_close(colour(image, 30, 30), SEEN, within=25)
    assert "color_profile" in (*photo.receipt.removed, *photo.receipt.kept)


def test_transparent_pixels_are_white_to_placeholders(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.encoded(photos.flat(64, 64, 0, 0, 0).bandjoin(0), ".png"))

    assert photo.dominant_color == "#ffffff"
    with opened(photo, "full") as image:
        assert isinstance(image, Image.Image)
        assert image.mode == "RGBA"

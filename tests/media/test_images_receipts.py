"""The privacy receipt: what a file carried is named by its kind, and nothing of it is repeated."""

from __future__ import annotations

import io
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from factories import photos
from igloo_media.images import Renderer
from media.rendering import render

SECRET = "Tundra"
XMP = f"<x:xmpmeta><exif:GPSLatitude>74,{SECRET}</exif:GPSLatitude></x:xmpmeta>".encode()
MOTION = b"\x00\x00\x00\x18ftypmp42" + bytes(64)
JUMBF = b"JP\x00\x01\x00\x00\x00\x01" + bytes(16)


def exif() -> Image.Exif:
    """Return the EXIF of a talkative camera."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Arctic Optics", SECRET
    tags[0x013B] = SECRET
    tags.get_ifd(0x8769).update(
        {0x9003: "2026:01:02 03:04:05", 0x927C: b"maker note", 0xA431: SECRET, 0x9286: b"ASCII\0\0\0" + b"hi"}
    )
    tags.get_ifd(0x8825).update({1: "N", 2: (74.0, 1.0, 2.0)})
    return tags


def pillow_saved(format_name: str, **options: object) -> bytes:
    """Return a small photo as Pillow writes it."""
    written = io.BytesIO()
    photos.as_pillow(photos.picture(64, 48)).save(written, format_name, **options)
    return written.getvalue()


def with_segment(marker: int, body: bytes) -> bytes:
    """Return a JPEG with one more segment at its beginning."""
    photo = pillow_saved("JPEG")
    return photo[:2] + bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body + photo[2:]


CAMERA = {"author", "camera", "comment", "exif", "maker_notes", "position", "serial_numbers", "time"}


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_what_a_camera_notes_is_told_by_kind(renderer: Renderer, tmp_path: Path, format_name: str) -> None:
    if format_name == "HEIF":
        plain = pillow_heif.from_pillow(photos.as_pillow(photos.picture(64, 48)))
        file = photos.saved_heic(plain, exif=exif().tobytes())
    else:
        file = pillow_saved(format_name, exif=exif().tobytes())

    photo = render(renderer, tmp_path, file)

    assert set(photo.receipt.removed) == CAMERA
    assert SECRET not in repr(photo.receipt)


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        (pillow_saved("JPEG"), set()),
        (pillow_saved("JPEG", comment=SECRET), {"comment"}),
        (pillow_saved("JPEG", xmp=XMP), {"xmp", "position"}),
        (pillow_saved("PNG", pnginfo=None), set()),
        (pillow_saved("GIF", comment=SECRET.encode()), {"comment"}),
        (pillow_saved("WEBP", xmp=XMP), {"xmp", "position"}),
        (with_segment(0xE2, b"MPF\x00II*\x00" + bytes(32)), {"embedded_pictures"}),
        (with_segment(0xEB, JUMBF), {"content_credentials"}),
        (
            with_segment(
                0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x0a\x1c\x02\x5a\x00\x05" + b"Thule"
            ),
            {"iptc"},
        ),
        (pillow_saved("JPEG") + pillow_saved("JPEG"), {"appended_bytes", "embedded_pictures"}),
        (pillow_saved("JPEG") + MOTION, {"appended_bytes", "embedded_video"}),
        (pillow_saved("JPEG") + SECRET.encode(), {"appended_bytes"}),
    ],
    ids=[
        "clean jpeg",
        "jpeg comment",
        "jpeg xmp",
        "clean png",
        "gif comment",
        "webp xmp",
        "multi-picture jpeg",
        "content credentials",
        "iptc",
        "second picture",
        "moving photo",
        "appended text",
    ],
)
def test_what_a_file_carries_is_told(
    renderer: Renderer, tmp_path: Path, file: bytes, kinds: set[str]
) -> None:
    photo = render(renderer, tmp_path, file)

    assert set(photo.receipt.removed) == kinds
    assert list(photo.receipt.removed) == sorted(photo.receipt.removed)
    for each in photo.renditions:
        assert SECRET.encode() not in each.path.read_bytes()


def test_the_texts_of_a_png_are_told_and_its_xmp_apart(renderer: Renderer, tmp_path: Path) -> None:
    texts, xmp = PngInfo(), PngInfo()
    texts.add_text("Author", SECRET)
    xmp.add_itxt("XML:com.adobe.xmp", XMP.decode())

    assert render(renderer, tmp_path, pillow_saved("PNG", pnginfo=texts)).receipt.removed == ("text",)
    assert render(renderer, tmp_path, pillow_saved("PNG", pnginfo=xmp)).receipt.removed == ("position", "xmp")


def test_the_small_picture_in_a_heic_is_told(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.heic(photos.picture(256, 192), thumbnails=[64]))

    assert photo.receipt.removed == ("embedded_thumbnail",)


def test_a_colour_profile_that_stays_is_told_as_kept(renderer: Renderer, tmp_path: Path) -> None:
    photo = render(renderer, tmp_path, photos.located_jpeg())

    assert "color_profile" not in photo.receipt.removed
    assert photo.receipt.kept == ("color_profile",)

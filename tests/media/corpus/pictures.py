"""Pictures that show which way up they are, drawn with Pillow: another library than the one under test."""

from __future__ import annotations

import io
from typing import Any

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

WIDTH, HEIGHT = 96, 64
GREY, RED = (90, 120, 150), (255, 0, 0)
# What a camera stores so that a reader who applies the orientation sees the picture upright.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def marked(width: int = WIDTH, height: int = HEIGHT, mode: str = "RGB") -> Image.Image:
    """Return a grey blue picture whose top left quarter is red."""
    image = Image.new("RGB", (width, height), GREY)
    image.paste(RED, (0, 0, max(1, width // 2), max(1, height // 2)))
    return image if mode == "RGB" else image.convert(mode)


def stored(orientation: int) -> Image.Image:
    """Return the marked picture as it lies in a file of this EXIF orientation."""
    image = marked()
    return image.transpose(STORED[orientation]) if orientation in STORED else image


def half_seen() -> Image.Image:
    """Return the marked picture, a little transparent."""
    image = marked(mode="RGBA")
    image.putalpha(200)
    return image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return a picture as a file of this kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg(**options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return the marked picture as JPEG."""
    return saved(marked(), "JPEG", quality=90, **options)


def png(**options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return the marked picture as PNG."""
    return saved(marked(), "PNG", **options)


def webp(**options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return the marked picture as WebP."""
    return saved(marked(), "WEBP", **{"quality": 90, "method": 0, **options})


def gif(**options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return the marked picture as GIF."""
    return saved(marked(), "GIF", **options)


def heic(image: Image.Image | None = None, **options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return a picture as HEIC."""
    return saved(image or marked(), "HEIF", **{"quality": 80, **options})


def avif(image: Image.Image | None = None, **options: Any) -> bytes:  # noqa: ANN401 - the encoder's own
    """Return a picture as AVIF."""
    return saved(image or marked(), "AVIF", **{"quality": 80, "speed": 10, "max_threads": 1, **options})

"""Photos made in code: no binary fixtures, and every flaw on purpose."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pillow_heif
import pyvips
from PIL import Image

GPS = {
    "exif-ifd0-Make": "Acme (Acme, ASCII, 5 components, 5 bytes)",
    "exif-ifd3-GPSLatitudeRef": "N (N, ASCII, 2 components, 2 bytes)",
    "exif-ifd3-GPSLatitude": "37/1 33/1 0/1 (37, 33, 0, Rational, 3 components, 24 bytes)",
}
BROKEN_JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8


def picture(width: int, height: int, *, seed: int = 1) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return soft clouds of colour with a little grain: it compresses about as a photo does."""
    bands = [
        pyvips.Image.perlin(width, height, cell_size=max(8, width // 4), seed=seed + band).linear(60, 128)
        for band in range(3)
    ]
    grain = pyvips.Image.gaussnoise(width, height, mean=0, sigma=4, seed=seed)
    color = bands[0].bandjoin(bands[1:]) + grain
    return color.cast("uchar").copy(interpretation="srgb")


def corners(width: int, height: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return a grey image whose top left quarter is red: it shows which way up it is."""
    return flat(width, height, 128, 128, 128).insert(flat(width // 2, height // 2, 255, 0, 0), 0, 0)


def flat(width: int, height: int, *color: int) -> Any:  # noqa: ANN401 - pyvips has no types
    """Return an image of one colour."""
    black = pyvips.Image.black(width, height, bands=len(color))
    return black.linear([1] * len(color), color).cast("uchar").copy(interpretation="srgb")


def jpeg(width: int = 640, height: int = 480, *, seed: int = 1, quality: int = 85) -> bytes:
    """Return a plain JPEG."""
    return encoded(picture(width, height, seed=seed), ".jpg", Q=quality)


def encoded(image: Any, suffix: str, **options: Any) -> bytes:  # noqa: ANN401 - pyvips has no types
    """Encode an image by libvips' saver for the suffix."""
    return bytes(image.write_to_buffer(suffix, **options))


def located_jpeg(width: int = 640, height: int = 480) -> bytes:
    """Return a JPEG that tells where and with what it was taken, and carries an sRGB profile."""
    image = picture(width, height).copy()
    for name, value in GPS.items():
        image.set_type(pyvips.GValue.gstr_type, name, value)
    return encoded(image, ".jpg", profile="srgb")


def turned_jpeg(image: Any, orientation: int) -> bytes:  # noqa: ANN401 - pyvips has no types
    """Return a JPEG whose pixels are as given, with an EXIF orientation."""
    turned = image.copy()
    turned.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    return encoded(turned, ".jpg", Q=95)


def png_bomb(width: int, height: int) -> bytes:
    """Return a few hundred bytes of PNG that claim to be an image of this size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000), 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, body) for kind, body in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    )


def animated_gif(frames: int, width: int = 40, height: int = 30) -> bytes:
    """Return a GIF of several frames."""
    return animation([picture(width, height, seed=n) for n in range(frames)])


def animation(
    frames: Sequence[Any],
    *,
    delays: Sequence[int] = (),
    loop: int = 0,
    suffix: str = ".gif",
    **options: Any,  # noqa: ANN401 - of libvips' saver
) -> bytes:
    """Return an animation of these frames, by default as GIF; delays are milliseconds."""
    strip = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    strip.set_type(pyvips.GValue.gint_type, "loop", loop)
    if delays:
        strip.set_type(pyvips.GValue.array_int_type, "delay", list(delays))
    return encoded(strip, suffix, **options)


def as_pillow(image: Any) -> Image.Image:  # noqa: ANN401 - pyvips has no types
    """Return the same 8-bit image for Pillow, which writes what libvips does not."""
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[image.bands]
    return Image.frombytes(mode, (image.width, image.height), bytes(image.write_to_memory()))


def heic(image: Any, **options: Any) -> bytes:  # noqa: ANN401 - pyvips has no types
    """Return a HEIC of an 8-bit image; the options are those of pillow-heif."""
    return saved_heic(pillow_heif.from_pillow(as_pillow(image)), **options)


def saved_heic(file: pillow_heif.HeifFile, **options: Any) -> bytes:  # noqa: ANN401 - of pillow-heif
    """Return the bytes of a HEIC file, made quickly."""
    written = io.BytesIO()
    file.save(written, **{"quality": 90, "enc_params": {"preset": "ultrafast"}, **options})
    return written.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

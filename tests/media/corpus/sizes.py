"""The smallest, the longest and the largest: from no byte to fifty megapixels and one more."""

from __future__ import annotations

import zlib
from functools import partial

from PIL import Image

from media.corpus import jpegs, pictures, pngs
from media.corpus.case import Case, Ready, Refused

DOT = Ready(width=1, height=1, marked=False)


def _dot(kind: str) -> bytes:
    return pictures.saved(Image.new("RGB", (1, 1), pictures.RED), kind)


def _one_bit_png(width: int, height: int) -> bytes:
    """Return a black picture whose pixels are eight in a byte, and thousands in a byte deflated."""
    line = 1 + (width + 7) // 8
    return pngs.assembled(
        pngs.header(width, height, depth=1, color=pngs.GREY),
        pngs.chunk(b"IDAT", zlib.compress(bytes(line * height), 1)),
    )


def _claimed_png(width: int, height: int) -> bytes:
    return pngs.assembled(pngs.header(width, height), pngs.chunk(b"IDAT", zlib.compress(bytes(1_000))))


def _long(kind: str, width: int, height: int) -> bytes:
    return pictures.saved(Image.new("RGB", (width, height), pictures.GREY), kind)


CASES = (
    Case("no-byte", lambda: b"", Refused("unsupported_format")),
    Case("one-byte", lambda: b"\xff", Refused("unsupported_format")),
    Case("jpeg-three-bytes", lambda: b"\xff\xd8\xff", Refused("unreadable_image")),
    *(
        Case(f"{kind.lower()}-1x1", partial(_dot, kind), DOT)
        for kind in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
    ),
    *(
        Case(
            f"{kind.lower()}-30000x1",
            partial(_long, kind, 30_000, 1),
            Ready(width=30_000, height=1, marked=False),
        )
        for kind in ("JPEG", "PNG", "GIF")
    ),
    *(
        Case(
            f"{kind.lower()}-1x30000",
            partial(_long, kind, 1, 30_000),
            Ready(width=1, height=30_000, marked=False),
        )
        for kind in ("JPEG", "PNG", "GIF")
    ),
    Case(
        "png-fifty-megapixels",
        partial(_one_bit_png, 10_000, 5_000),
        Ready(width=10_000, height=5_000, marked=False),
    ),
    Case("png-fifty-megapixels-and-a-row", partial(_one_bit_png, 10_000, 5_001), Refused("too_many_pixels")),
    Case("png-60000x60000", lambda: _claimed_png(60_000, 60_000), Refused("too_many_pixels")),
    Case("png-longest-sides", lambda: _claimed_png(2**31 - 1, 2**31 - 1), Refused("unreadable_image")),
    Case(
        "jpeg-65500x65500",
        lambda: jpegs.with_size(pictures.jpeg(), 65_500, 65_500),
        Refused("too_many_pixels"),
    ),
    Case(
        "jpeg-65535x65535",
        lambda: jpegs.with_size(pictures.jpeg(), 65_535, 65_535),
        Refused("unreadable_image"),
    ),
    # An honest end marker before the last row: decoders take the rest as grey.
    Case(
        "jpeg-claims-more-rows",
        lambda: jpegs.with_size(pictures.jpeg(), 96, 4_096),
        Ready(width=96, height=4_096, marked=False),
    ),
)

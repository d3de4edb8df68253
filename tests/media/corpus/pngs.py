"""PNG chunk by chunk."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def chunk(kind: bytes, body: bytes, *, wrong_crc: bool = False) -> bytes:
    """Return a chunk."""
    checksum = zlib.crc32(kind + body) ^ wrong_crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def header(width: int, height: int, *, depth: int = 8, color: int = RGB) -> bytes:
    """Return the chunk that tells the size."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))


def assembled(*chunks: bytes) -> bytes:
    """Return chunks as a file, ended properly."""
    return SIGNATURE + b"".join(chunks) + chunk(b"IEND", b"")


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with chunks put after its header."""
    after_header = len(SIGNATURE) + 25
    return png[:after_header] + b"".join(chunks) + png[after_header:]


def rows(pixels: list[list[tuple[int, ...]]], *, depth: int = 8) -> bytes:
    """Return the data chunk of these pixels, unfiltered."""
    layout = ">B" if depth == 8 else ">H"
    lines = (
        b"\0" + b"".join(struct.pack(layout, value) for pixel in row for value in pixel) for row in pixels
    )
    return chunk(b"IDAT", zlib.compress(b"".join(lines)))


def zeros(size_bytes: int) -> bytes:
    """Return so many zeros, deflated."""
    deflated = zlib.compressobj(1)
    block = bytes(1 << 20)
    return b"".join(deflated.compress(block) for _ in range(size_bytes >> 20)) + deflated.flush()

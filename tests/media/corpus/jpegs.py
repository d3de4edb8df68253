"""JPEG segment by segment."""

from __future__ import annotations

import struct

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
APP1, APP2, APP13, COMMENT = 0xE1, 0xE2, 0xED, 0xFE
ICC_PIECE_BYTES = 65_000


def segment(marker: int, body: bytes, *, claimed: int | None = None) -> bytes:
    """Return a segment; `claimed` is a length to lie with."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2 if claimed is None else claimed) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with segments put first."""
    assert jpeg.startswith(SOI)
    return SOI + b"".join(segments) + jpeg[2:]


def icc_segments(profile: bytes, *, claimed_pieces: int | None = None) -> tuple[bytes, ...]:
    """Return the APP2 segments that carry a profile."""
    pieces = [profile[at : at + ICC_PIECE_BYTES] for at in range(0, len(profile), ICC_PIECE_BYTES)]
    count = claimed_pieces or len(pieces)
    return tuple(
        segment(APP2, b"ICC_PROFILE\0" + bytes((number, count)) + piece)
        for number, piece in enumerate(pieces, 1)
    )


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose frame header claims another size."""
    frame = next(at for at in range(len(jpeg)) if jpeg[at] == 0xFF and jpeg[at + 1] in (0xC0, 0xC2))
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]

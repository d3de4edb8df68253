"""WebP chunk by chunk."""

from __future__ import annotations

import struct

ICC, ALPHA, EXIF, XMP, ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a RIFF chunk."""
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def assembled(*chunks: bytes, claimed: int | None = None) -> bytes:
    """Return chunks as a file; `claimed` is a length to lie with."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if claimed is None else claimed) + body


def extended(width: int, height: int, flags: int) -> bytes:
    """Return the chunk that tells the canvas and what follows."""
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return chunk(b"VP8X", bytes((flags, 0, 0, 0)) + size)


def animation(*frames: bytes, width: int, height: int, flags: int = ANIMATION) -> bytes:
    """Return an animation that runs for ever."""
    return assembled(extended(width, height, flags), chunk(b"ANIM", bytes(6)), *frames)


def frame(still: bytes, width: int, height: int, *, delay: int = 50) -> bytes:
    """Return a frame that shows a still of this size in the top left corner."""
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return chunk(b"ANMF", bytes(6) + size + struct.pack("<I", delay)[:3] + b"\0" + bitstream(still))


def bitstream(webp: bytes) -> bytes:
    """Return the chunk of a plain WebP that holds the picture."""
    return webp[12:]


def chunks_in(webp: bytes) -> list[tuple[bytes, bytes]]:
    """Return the kinds and bodies of a file's chunks, those of frames included."""
    return _chunks(webp, 12)


def _chunks(data: bytes, at: int) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        found.append((kind, body))
        if kind == b"ANMF":
            found += _chunks(body, 16)
        at += 8 + size + size % 2
    return found

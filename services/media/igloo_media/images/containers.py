"""What libvips does not tell of a file: the parts of its container that hold no pixels of the photo."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

# Enough of a part to tell what it is.
HEAD_BYTES = 64
JPEG_COMMENT, JPEG_START_OF_SCAN = 0xFE, 0xDA
JPEG_APPLICATION_2, JPEG_APPLICATION_11 = 0xE2, 0xEB
JPEG_END = b"\xff\xd9"
# The identity of the box that C2PA manifests lie in (C2PA 2.1, A.3).
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# What GIF's blocks begin with (GIF89a, appendix A).
GIF_IMAGE, GIF_EXTENSION, GIF_COMMENT = 0x2C, 0x21, 0xFE


def parts_of(path: Path, format_name: str) -> set[str]:
    """Return the kinds of parts of a JPEG, PNG, WebP, GIF or HEIF file besides the photo and its metadata.

    Of a file that is damaged, those that were found before the damage.
    """
    readers = {"jpeg": _jpeg, "png": _png, "webp": _webp, "gif": _gif, "heif": _heif}
    with path.open("rb") as file, closing(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) as data:
        return set(readers[format_name](data))


def _jpeg(data: mmap.mmap) -> Iterator[str]:
    position = 2
    while position + 4 <= len(data) and data[position] == JPEG_END[0]:
        marker, head = data[position + 1], data[position + 4 : position + 4 + HEAD_BYTES]
        if marker == JPEG_START_OF_SCAN:
            yield from _after_the_end(data, position)
            return
        if marker == JPEG_COMMENT:
            yield "comment"
        if marker == JPEG_APPLICATION_2 and head.startswith(b"MPF\x00"):
            yield "embedded_pictures"
        if marker == JPEG_APPLICATION_11 and head.startswith(b"JP"):
            yield "content_credentials"
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")


def _after_the_end(data: mmap.mmap, scan: int) -> Iterator[str]:
    """Tell what phones append: further pictures, and the video of a moving photo, with its sound."""
    # No pixel looks like the end: within a scan a zero follows each 0xff.
    end = data.find(JPEG_END, scan)
    if end < 0 or end + len(JPEG_END) == len(data):
        return
    if data.find(b"\xff\xd8\xff", end) >= 0:
        yield "embedded_pictures"
    if data.find(b"ftyp", end) >= 0:
        yield "embedded_video"
    yield "appended_bytes"


def _png(data: mmap.mmap) -> Iterator[str]:
    kinds = {
        b"tEXt": "text",
        b"zTXt": "text",
        b"iTXt": "text",
        b"tIME": "time",
        b"caBX": "content_credentials",
    }
    position = 8
    while position + 8 <= len(data):
        name = data[position + 4 : position + 8]
        # XMP is a text to PNG, and told apart by its keyword.
        if name in kinds and data[position + 8 : position + 16] != b"XML:com.":
            yield kinds[name]
        position += 12 + int.from_bytes(data[position : position + 4], "big")


def _webp(data: mmap.mmap) -> Iterator[str]:
    position = 12
    while position + 8 <= len(data):
        if data[position : position + 4] == b"C2PA":
            yield "content_credentials"
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + size % 2


def _gif(data: mmap.mmap) -> Iterator[str]:
    position = 13 + _color_table_bytes(data[10])
    while position + 2 <= len(data):
        block = data[position]
        if block == GIF_EXTENSION:
            if data[position + 1] == GIF_COMMENT:
                yield "comment"
            if data[position + 3 : position + 14] == b"XMP DataXMP":
                yield "xmp"
            position = _after_blocks(data, position + 2)
        elif block == GIF_IMAGE and position + 11 <= len(data):
            position = _after_blocks(data, position + 11 + _color_table_bytes(data[position + 9]))
        else:
            return


def _color_table_bytes(flags: int) -> int:
    return 3 << (flags % 8 + 1) if flags & 0x80 else 0


def _after_blocks(data: mmap.mmap, position: int) -> int:
    while position < len(data) and data[position]:
        position += 1 + data[position]
    return position + 1


def _heif(data: mmap.mmap) -> Iterator[str]:
    position = 0
    while position + 8 <= len(data):
        size, name = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if name == b"uuid" and data[position + 8 : position + 24] == C2PA_BOX:
            yield "content_credentials"
        # Of photos that move: a video behind the photo.
        if name in (b"mpvd", b"moov"):
            yield "embedded_video"
        if size < 8:  # noqa: PLR2004 - a box is no smaller than its own head: this one goes on to the end
            return
        position += size

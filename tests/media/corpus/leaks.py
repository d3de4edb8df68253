"""Looks at a rendition with other eyes than those that made it, for more than pixels and a profile."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence

import exifread
from PIL import Image

from media.corpus import webps
from media.corpus.secrets import PLANTED

# It warns of every file without metadata, which is what is looked for.
logging.getLogger("exifread").setLevel(logging.CRITICAL)

# So short that compressed pixels spell them by chance, once in some tens of thousands of files.
SHORT_SIGNS = (b"GPS", b"8BIM", b"PK\x03\x04")
SIGNS = (
    b"Exif\0\0",
    b"http://ns.adobe.com",
    b"xpacket",
    b"Photoshop 3.0",
    b"<script",
    b"<?php",
)
CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
CODED = {b"VP8 ", b"VP8L", b"ALPH"}
PILLOW_KEYS = {"icc_profile", "loop", "background", "timestamp", "duration"}
MAX_PROFILE_BYTES = 65_536


def leaks_in(rendition: bytes) -> list[str]:
    """Return what a rendition tells and should not; empty when it is clean."""
    return [
        *_words(rendition, (*SIGNS, *PLANTED)),
        *_words(_beside_pixels(rendition), SHORT_SIGNS),
        *_foreign_chunks(rendition),
        *_seen_by_exifread(rendition),
        *_seen_by_pillow(rendition),
    ]


def _words(data: bytes, words: Sequence[bytes]) -> list[str]:
    return [f"holds {word!r}" for word in words if word in data]


def _beside_pixels(data: bytes) -> bytes:
    """Return a file without the chunks that only a decoder of pixels reads."""
    for kind, body in webps.chunks_in(data):
        if kind in CODED:
            data = data.replace(body, b"", 1)
    return data


def _foreign_chunks(data: bytes) -> list[str]:
    chunks = webps.chunks_in(data)
    found = [f"chunk {kind!r}" for kind, _ in chunks if kind not in CHUNKS]
    length = 8 + int.from_bytes(data[4:8], "little")
    return found + ([f"{len(data) - length} bytes after its end"] if len(data) != length else [])


def _seen_by_exifread(data: bytes) -> list[str]:
    return [f"ExifRead sees {name}" for name in exifread.process_file(io.BytesIO(data))]


def _seen_by_pillow(data: bytes) -> list[str]:
    with Image.open(io.BytesIO(data)) as image:
        found = [f"Pillow sees EXIF {tag}" for tag in image.getexif()]
        found += [f"Pillow sees {key}" for key in sorted(map(str, image.info)) if key not in PILLOW_KEYS]
        profile = image.info.get("icc_profile") or b""
    if len(profile) > MAX_PROFILE_BYTES:
        found.append(f"a profile of {len(profile)} bytes")
    return found

"""The privacy receipt of a photo: which kinds of things its file carried, never what they said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from igloo_media.images.colors import has_profile
from igloo_media.images.containers import parts_of
from igloo_media.images.header import Header
from igloo_media.images.outcome import Receipt

COLOR_PROFILE = "color_profile"
# By the names that libvips gives to metadata as a whole.
BLOCKS = {
    "exif-data": "exif",
    "xmp-data": "xmp",
    "iptc-data": "iptc",
    "jpeg-thumbnail-data": "embedded_thumbnail",
    "photoshop-data": "iptc",
}
# By the names of EXIF's tags, as libvips lists them: `exif-ifd2-DateTimeOriginal`.
EXIF_KINDS = (
    (re.compile(r"GPS(?!VersionID|Tag)"), "position"),
    (re.compile(r"(Make|Model|HostComputer|LensMake|LensModel|LensSpecification)$"), "camera"),
    (re.compile(r"(DateTime|SubSecTime|OffsetTime)"), "time"),
    (re.compile(r"(Artist|Copyright|CameraOwnerName|XPAuthor)$"), "author"),
    (re.compile(r"(ImageDescription|UserComment|XPTitle|XPComment|XPSubject|XPKeywords)$"), "comment"),
    (re.compile(r"(BodySerialNumber|LensSerialNumber|CameraSerialNumber|ImageUniqueID)$"), "serial_numbers"),
    (re.compile(r"MakerNote$"), "maker_notes"),
)
XMP_KINDS = {
    b"GPSLatitude": "position",
    b"tiff:Model": "camera",
    b"aux:SerialNumber": "serial_numbers",
    b"CreateDate": "time",
    b"dc:creator": "author",
    b"dc:description": "comment",
}


def receipt_of(header: Header, *, keeps_profile: bool) -> Receipt:
    """Return what the original carried, by whether the renditions still do."""
    found = {*_told_by_libvips(header.fields), *parts_of(header.source, header.format)}
    if header.is_hevc:
        from igloo_media.images.heic import pictures_besides  # noqa: PLC0415 - loaded with the first HEIC

        found |= pictures_besides(header)
    kept = {COLOR_PROFILE} if keeps_profile else set()
    return Receipt(removed=tuple(sorted(found - kept)), kept=tuple(sorted(kept)))


def _told_by_libvips(fields: Any) -> Iterator[str]:  # noqa: ANN401 - pyvips has no types
    if has_profile(fields):
        yield COLOR_PROFILE
    for name in fields.get_fields():
        if name in BLOCKS:
            yield BLOCKS[name]
        elif name.startswith("exif-ifd1-"):
            yield "embedded_thumbnail"
        elif name.startswith("exif-"):
            yield from _told_by_tag(name.rpartition("-")[2])
    if fields.get_typeof("xmp-data"):
        packet = bytes(fields.get("xmp-data"))
        yield from (kind for word, kind in XMP_KINDS.items() if word in packet)


def _told_by_tag(tag: str) -> Iterator[str]:
    yield from (kind for pattern, kind in EXIF_KINDS if pattern.match(tag))

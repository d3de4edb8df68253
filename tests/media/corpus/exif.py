"""EXIF written by hand: positions, maker notes, thumbnails, and directories that lead in circles."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from media.corpus import secrets

ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 2, 3, 4, 5, 7
SIZES = {ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, UNDEFINED: 1}
HEADER_BYTES = 8
MAKE, ORIENTATION, EXIF_IFD, GPS_IFD = 0x010F, 0x0112, 0x8769, 0x8825
THUMBNAIL_OFFSET, THUMBNAIL_BYTES = 0x0201, 0x0202
TAKEN_AT, MAKER_NOTE, USER_COMMENT = 0x9003, 0x927C, 0x9286

Entry = tuple[int, int, bytes]  # tag, type, value


@dataclass(frozen=True, kw_only=True)
class Exif:
    """What to write; the defaults tell a place, a camera and a time."""

    orientation: int | None = None
    order: str = "<"
    thumbnail: bytes = b""
    cyclic: bool = False
    claimed_maker_note_bytes: int | None = None

    def tiff(self) -> bytes:
        """Return the TIFF block that EXIF is, without the mark before it in JPEG."""
        blob = bytearray(HEADER_BYTES)
        gps = self._append(blob, self._position())
        detail = self._append(blob, self._detail())
        following = self._append_thumbnail(blob) if self.thumbnail else 0
        entries = [*self._main(), self._long(EXIF_IFD, detail), self._long(GPS_IFD, gps)]
        main = self._append(blob, entries, following=following)
        if self.cyclic:
            self._close_the_circle(blob, main, len(entries))
        blob[:HEADER_BYTES] = struct.pack(f"{self.order}2sHI", self._mark(), 42, main)
        return bytes(blob)

    def app1(self) -> bytes:
        """Return the body of JPEG's APP1 segment."""
        return b"Exif\0\0" + self.tiff()

    def _mark(self) -> bytes:
        return b"II" if self.order == "<" else b"MM"

    def _main(self) -> list[Entry]:
        entries = [(MAKE, ASCII, secrets.CAMERA + b"\0")]
        if self.orientation is not None:
            entries.append((ORIENTATION, SHORT, struct.pack(f"{self.order}H", self.orientation)))
        return entries

    def _position(self) -> list[Entry]:
        return [
            (1, ASCII, b"N\0"),
            (2, RATIONAL, secrets.rationals(secrets.LATITUDE, self.order)),
            (3, ASCII, b"W\0"),
            (4, RATIONAL, secrets.rationals(secrets.LONGITUDE, self.order)),
        ]

    def _detail(self) -> list[Entry]:
        return [
            (TAKEN_AT, ASCII, secrets.TAKEN_AT + b"\0"),
            (MAKER_NOTE, UNDEFINED, b"LEMMING\0" + secrets.WORDS * 4),
            (USER_COMMENT, UNDEFINED, b"ASCII\0\0\0" + secrets.WORDS),
        ]

    def _append_thumbnail(self, blob: bytearray) -> int:
        start = len(blob)
        blob += self.thumbnail
        return self._append(
            blob, [self._long(THUMBNAIL_OFFSET, start), self._long(THUMBNAIL_BYTES, len(self.thumbnail))]
        )

    def _append(self, blob: bytearray, entries: list[Entry], *, following: int = 0) -> int:
        """Write a directory with what does not fit into it, and return where it begins."""
        start = len(blob) + len(blob) % 2
        blob += bytes(start - len(blob))
        rest = start + 2 + 12 * len(entries) + 4
        table, values = b"", b""
        for tag, kind, value in sorted(entries):
            count = len(value) // SIZES[kind]
            if tag == MAKER_NOTE and self.claimed_maker_note_bytes is not None:
                count = self.claimed_maker_note_bytes
            place = value.ljust(4, b"\0")
            if len(value) > 4:
                place, values = self._pack("I", rest + len(values)), values + value + bytes(len(value) % 2)
            table += self._pack("HHI", tag, kind, count) + place
        blob += self._pack("H", len(entries)) + table + self._pack("I", following) + values
        return start

    def _close_the_circle(self, blob: bytearray, main: int, entries: int) -> None:
        """Let the first directory be its own successor, and the Exif directory be the first one again."""
        successor = main + 2 + 12 * entries
        blob[successor : successor + 4] = self._pack("I", main)
        for entry in range(main + 2, successor, 12):
            if bytes(blob[entry : entry + 2]) == self._pack("H", EXIF_IFD):
                blob[entry + 8 : entry + 12] = self._pack("I", main)

    def _long(self, tag: int, value: int) -> Entry:
        return tag, LONG, self._pack("I", value)

    def _pack(self, layout: str, *values: int) -> bytes:
        return struct.pack(self.order + layout, *values)


def xmp() -> bytes:
    """Return an XMP packet that tells a place."""
    return (
        b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="'
        + secrets.LATITUDE_TEXT
        + b'" exif:GPSLongitude="'
        + secrets.LONGITUDE_TEXT
        + b'"><dc:description xmlns:dc="http://purl.org/dc/elements/1.1/">'
        + secrets.WORDS
        + b'</dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def iptc() -> bytes:
    """Return the body of JPEG's APP13: Photoshop's resource 0x0404 with a caption and a place."""
    records = b"".join(
        struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value
        for number, value in ((90, b"Longyearbyen"), (120, secrets.WORDS), (27, secrets.LATITUDE_TEXT))
    )
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(records)) + records + bytes(len(records) % 2)
    return b"Photoshop 3.0\0" + resource

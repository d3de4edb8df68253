"""HEIF and AVIF box by box: items, their properties and how they refer to each other."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

HIDDEN = 1


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a file: coded picture, grid, metadata."""

    kind: bytes
    body: bytes
    properties: tuple[bytes, ...] = ()
    references: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    hidden: bool = False
    content_type: bytes = b""


def box(kind: bytes, *bodies: bytes) -> bytes:
    """Return a box."""
    body = b"".join(bodies)
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, *bodies: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *bodies)


def ispe(width: int, height: int) -> bytes:
    """Return the property that tells a picture's size."""
    return full_box(b"ispe", struct.pack(">II", width, height))


def irot(quarter_turns: int) -> bytes:
    """Return the property that turns a picture, counter-clockwise."""
    return box(b"irot", bytes((quarter_turns,)))


def imir(axis: int) -> bytes:
    """Return the property that mirrors a picture: 0 top and bottom, 1 left and right."""
    return box(b"imir", bytes((axis,)))


def assembled(brand: bytes, items: Sequence[Item], *, primary: int = 1, compatible: bytes = b"") -> bytes:
    """Return items, numbered from 1, as a file with this brand."""
    file_type = box(b"ftyp", brand, bytes(4), b"mif1", compatible or brand)
    # Offsets depend on the length of the box that tells them, not on their values.
    length = len(_meta(items, primary, 0))
    data_at = len(file_type) + length + 8
    return file_type + _meta(items, primary, data_at) + box(b"mdat", *(item.body for item in items))


def grid(rows: int, columns: int, width: int, height: int) -> bytes:
    """Return the body of a grid item."""
    return struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)


def coded(file: bytes, kind: bytes, **more: tuple[bytes, ...]) -> Item:
    """Return the picture of a plain file of one, with its properties and more of them."""
    properties = contents(contents(contents(file, b"meta")[4:], b"iprp"), b"ipco")
    kept = tuple(whole for name, whole in boxes(properties) if name not in {b"irot", b"imir"})
    return Item(kind=kind, body=contents(file, b"mdat"), properties=kept + more.get("properties", ()))


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return kind and whole of each box."""
    found, at = [], 0
    while at + 8 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        found.append((data[at + 4 : at + 8], data[at : at + size]))
        at += max(size, 8)
    return found


def contents(data: bytes, kind: bytes) -> bytes:
    """Return what the first box of a kind holds."""
    return next(whole[8:] for name, whole in boxes(data) if name == kind)


def _meta(items: Sequence[Item], primary: int, data_at: int) -> bytes:
    handler = full_box(b"hdlr", bytes(4), b"pict", bytes(13))
    first = full_box(b"pitm", struct.pack(">H", primary))
    return full_box(
        b"meta",
        handler,
        first,
        _places(items, data_at),
        _kinds(items),
        _references(items),
        _properties(items),
    )


def _places(items: Sequence[Item], data_at: int) -> bytes:
    entries, at = b"", data_at
    for number, item in enumerate(items, 1):
        entries += struct.pack(">HHHII", number, 0, 1, at, len(item.body))
        at += len(item.body)
    return full_box(b"iloc", b"\x44\x00", struct.pack(">H", len(items)), entries)


def _kinds(items: Sequence[Item]) -> bytes:
    entries = (
        full_box(
            b"infe",
            struct.pack(">HH", number, 0),
            item.kind,
            b"\0",
            item.content_type + b"\0" if item.content_type else b"",
            version=2,
            flags=HIDDEN if item.hidden else 0,
        )
        for number, item in enumerate(items, 1)
    )
    return full_box(b"iinf", struct.pack(">H", len(items)), *entries)


def _references(items: Sequence[Item]) -> bytes:
    entries = (
        box(kind, struct.pack(f">HH{len(targets)}H", number, len(targets), *targets))
        for number, item in enumerate(items, 1)
        for kind, targets in item.references
    )
    return full_box(b"iref", *entries)


def _properties(items: Sequence[Item]) -> bytes:
    every = [each for item in items for each in item.properties]
    uses, used = b"", 0
    for number, item in enumerate(items, 1):
        # Marked essential: a reader that does not know a property may not show the picture without it.
        indices = [0x80 | used + place for place in range(1, len(item.properties) + 1)]
        uses += struct.pack(f">HB{len(indices)}B", number, len(indices), *indices)
        used += len(indices)
    return box(b"iprp", box(b"ipco", *every), full_box(b"ipma", struct.pack(">I", len(items)), uses))

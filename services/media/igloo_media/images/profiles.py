"""Colour profiles written anew: what describes colours stays, and nothing that was put there besides."""

from __future__ import annotations

import struct
from itertools import pairwise

# ICC.1:2022, 7.2 and 7.3: a header of 128 bytes, the number of tags, then 12 bytes for each.
HEADER_BYTES, TAG_BYTES = 128, 12
COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
CURVES = (b"rTRC", b"gTRC", b"bTRC")
TABLES = (b"A2B0", b"B2A0", b"D2B0")
# 10.18: how many numbers each form of a parametric curve has.
PARAMETERS = (1, 3, 4, 5, 7)
MAX_CURVE_POINTS = 4_096
MAX_TAGS = 100
D50 = bytes.fromhex("0000f6d6 00010000 0000d32d")
XYZ_BYTES = 20

Tags = dict[bytes, bytes]


def rewritten(profile: bytes) -> bytes | None:
    """Return an RGB profile of the same colours, made of three primaries and three curves alone.

    A profile that was uploaded can carry anything in its names, in private tags and between them. None when
    it is broken, or is of another kind: then the pixels themselves have to be converted.
    """
    tags = _tags(profile)
    if tags is None or any(name in tags for name in TABLES):
        return None
    colorants = [_colorant(tags.get(name, b"")) for name in COLORANTS]
    curves = [_curve(tags.get(name, b"")) for name in CURVES]
    if None in colorants or None in curves:
        return None
    found = zip((*COLORANTS, *CURVES), (*colorants, *curves), strict=True)
    return _assembled({name: value for name, value in found if value is not None})


def _tags(profile: bytes) -> Tags | None:
    head = HEADER_BYTES + 4
    if len(profile) < head or (profile[16:20], profile[20:24], profile[36:40]) != (b"RGB ", b"XYZ ", b"acsp"):
        return None
    count = int.from_bytes(profile[HEADER_BYTES:head], "big")
    if count > MAX_TAGS or len(profile) < head + count * TAG_BYTES:
        return None
    table = (struct.unpack_from(">4sII", profile, head + TAG_BYTES * n) for n in range(count))
    return {name: profile[start : start + length] for name, start, length in table}


def _colorant(value: bytes) -> bytes | None:
    return b"XYZ " + bytes(4) + value[8:20] if value[:4] == b"XYZ " and len(value) >= XYZ_BYTES else None


def _curve(value: bytes) -> bytes | None:
    if value[:4] == b"para" and len(value) >= 10 and value[9] < len(PARAMETERS):  # noqa: PLR2004 - its head
        size = 12 + 4 * PARAMETERS[value[9]]
        return b"para" + bytes(4) + value[8:10] + bytes(2) + value[12:size] if len(value) >= size else None
    if value[:4] == b"curv":
        points = int.from_bytes(value[8:12], "big")
        body = value[12 : 12 + 2 * points]
        if points <= MAX_CURVE_POINTS and len(body) == 2 * points and _rises(body, points):
            return b"curv" + bytes(4) + points.to_bytes(4, "big") + body
    return None


def _rises(body: bytes, points: int) -> bool:
    """Whether a curve goes upwards, as every curve of a camera or a screen does and no text."""
    values = struct.unpack(f">{points}H", body)
    return all(lower <= upper for lower, upper in pairwise(values))


def _assembled(colors: Tags) -> bytes:
    tags = {b"desc": _text("RGB"), b"cprt": _text("CC0"), b"wtpt": b"XYZ " + bytes(4) + D50, **colors}
    at = HEADER_BYTES + 4 + TAG_BYTES * len(tags)
    places: dict[bytes, int] = {}
    table, values = len(tags).to_bytes(4, "big"), b""
    for name, value in tags.items():
        if value not in places:  # equal curves are written once
            places[value] = at + len(values)
            values += value + bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, places[value], len(value))
    return _header(at + len(values)) + table + values


def _header(size_bytes: int) -> bytes:
    # 4.2 is the oldest version with parametric curves; the date is that of no photo.
    head = struct.pack(">II4s4s4s", size_bytes, 0, b"\x04\x20\0\0", b"mntr", b"RGB ") + b"XYZ "
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp"
    return head.ljust(68, b"\0") + D50 + bytes(HEADER_BYTES - 80)


def _text(text: str) -> bytes:
    coded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(coded), 28) + coded

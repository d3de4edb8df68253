"""ICC profiles written by hand: of wide gamuts, broken, and lying about themselves."""

from __future__ import annotations

import struct

HEADER_BYTES = 128
D50 = (0.9642, 1.0, 0.8249)
# The primaries, adapted to D50: the columns of the matrix to XYZ.
DISPLAY_P3 = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE_RGB = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))


def matrix_profile(
    primaries: tuple[tuple[float, float, float], ...],
    *,
    gamma: float = 2.2,
    name: bytes = b"wide",
    curve: bytes = b"",
) -> bytes:
    """Return an RGB profile of three primaries and one gamma, or a curve of these points."""
    points = curve or struct.pack(">H", round(gamma * 256))
    curve = b"curv" + bytes(4) + struct.pack(">I", len(points) // 2) + points
    tags = [
        (b"desc", _description(name)),
        (b"cprt", b"text" + bytes(4) + b"none\0\0\0\0"),
        (b"wtpt", _xyz(D50)),
    ]
    tags += [(key, _xyz(color)) for key, color in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)]
    tags += [(key, curve) for key in (b"rTRC", b"gTRC", b"bTRC")]
    return _assembled(tags)


def display_p3(name: bytes = b"Display P3") -> bytes:
    """Return the profile of a phone's camera."""
    return matrix_profile(DISPLAY_P3, name=name)


def adobe_rgb() -> bytes:
    """Return the profile of a larger camera."""
    return matrix_profile(ADOBE_RGB, gamma=2.19921875, name=b"Adobe RGB (1998)")


def with_space(profile: bytes, space: bytes) -> bytes:
    """Return a profile that claims to be of another colour space."""
    return profile[:16] + space + profile[20:]


def with_size(profile: bytes, size_bytes: int) -> bytes:
    """Return a profile that claims to be of another length."""
    return struct.pack(">I", size_bytes) + profile[4:]


def _assembled(tags: list[tuple[bytes, bytes]]) -> bytes:
    at = HEADER_BYTES + 4 + 12 * len(tags)
    table, values = struct.pack(">I", len(tags)), b""
    for key, value in tags:
        table += key + struct.pack(">II", at + len(values), len(value))
        values += value + bytes(-len(value) % 4)
    size = at + len(values)
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(D50)
    return head.ljust(HEADER_BYTES, b"\0") + table + values


def _description(name: bytes) -> bytes:
    return b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + bytes(79)


def _xyz(color: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(color)


def _fixed(values: tuple[float, ...]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

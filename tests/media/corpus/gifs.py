"""GIF block by block."""

from __future__ import annotations

import struct
from dataclasses import dataclass

TRAILER = b";"
INFINITE_LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
# Blue grey, red, green, blue: what the frames choose from.
PALETTE = bytes((90, 120, 150, 255, 0, 0, 0, 200, 0, 0, 0, 255))
OTHER_PALETTE = bytes((255, 0, 0, 90, 120, 150, 10, 10, 10, 250, 250, 250))


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame: a rectangle of one colour, with the mark in its top left quarter when it is asked for.

    `claimed` is a side to lie with.
    """

    width: int
    height: int
    left: int = 0
    top: int = 0
    color: int = 0
    mark: int | None = None
    disposal: int = 0
    delay: int = 5
    transparent: int | None = None
    palette: bytes = b""
    claimed: int | None = None

    def block(self) -> bytes:
        """Return the frame with the control block before it."""
        flags = self.disposal << 2 | (self.transparent is not None)
        control = b"!\xf9\x04" + struct.pack("<BHBB", flags, self.delay, self.transparent or 0, 0)
        local = 0x81 if self.palette else 0
        place = struct.pack("<BHHHHB", 0x2C, self.left, self.top, *self._claimed_size(), local)
        return control + place + self.palette + compressed(self._pixels())

    def _claimed_size(self) -> tuple[int, int]:
        return (self.claimed, self.claimed) if self.claimed else (self.width, self.height)

    def _pixels(self) -> bytes:
        plain = bytes((self.color,)) * self.width
        if self.mark is None:
            return plain * self.height
        half = self.width // 2
        upper = bytes((self.mark,)) * half + plain[half:]
        return upper * (self.height // 2) + plain * (self.height - self.height // 2)


def compressed(pixels: bytes) -> bytes:
    """Return two-bit pixels as LZW that never learns: each code is cleared before it could grow."""
    codes = [code for at in range(0, len(pixels), 2) for code in (4, *pixels[at : at + 2])] + [5]
    packed, bits, filled = bytearray(), 0, 0
    for code in codes:
        bits |= code << filled
        filled += 3
        while filled >= 8:
            packed.append(bits & 0xFF)
            bits >>= 8
            filled -= 8
    packed.append(bits & 0xFF)
    blocks = (bytes(packed[at : at + 255]) for at in range(0, len(packed), 255))
    return b"\x02" + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"


def animated(width: int, height: int, *frames: Frame, extra: bytes = INFINITE_LOOP) -> bytes:
    """Return a GIF of frames on a screen of this size."""
    screen = struct.pack("<HHBBB", width, height, 0x81, 0, 0)
    return b"GIF89a" + screen + PALETTE + extra + b"".join(frame.block() for frame in frames) + TRAILER


def comment(text: bytes) -> bytes:
    """Return a comment block."""
    return b"!\xfe" + bytes((len(text),)) + text + b"\0"


def xmp_extension(packet: bytes) -> bytes:
    """Return XMP as GIF carries it: raw, with a trailer that leads a reader of sub-blocks out again."""
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return b"!\xff\x0bXMP DataXMP" + packet + trailer

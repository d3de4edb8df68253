"""Photos that lie about themselves in small ways, or end too early."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import partial

from media.corpus import animations, gifs, jpegs, pictures, pngs, webps
from media.corpus.case import Case, Ready, Refused
from media.corpus.pictures import HEIGHT, WIDTH

PLAIN = Ready(width=WIDTH, height=HEIGHT)
# Decoders show what is whole of it.
CUT_SHORT = Ready(width=WIDTH, height=HEIGHT, frames=animations.FRAMES - 1)
BROKEN = Refused("unreadable_image")
ORIGINALS: dict[str, Callable[[], bytes]] = {
    "jpeg": pictures.jpeg,
    "jpeg-progressive": partial(pictures.jpeg, progressive=True),
    "png": pictures.png,
    "webp": pictures.webp,
    "gif": pictures.gif,
    "heic": pictures.heic,
    "avif": pictures.avif,
}
TENTHS = (3, 5, 7, 9)


def _cut(name: str, tenths: int) -> bytes:
    file = ORIGINALS[name]()
    return file[: len(file) * tenths // 10]


def _riff(claimed_more: int) -> bytes:
    file = pictures.webp()
    return webps.assembled(webps.bitstream(file), claimed=len(file) - 8 + claimed_more)


def _wrong_crc(kind: bytes) -> bytes:
    file = bytearray(pictures.png())
    at = file.index(kind)
    size = struct.unpack_from(">I", file, at - 4)[0]
    file[at + 4 + size] ^= 0xFF
    return bytes(file)


def _jpeg(*segments: bytes) -> bytes:
    return jpegs.with_segments(pictures.jpeg(), *segments)


def _late_header() -> bytes:
    return pngs.with_chunks(pictures.png(), pngs.header(9_999, 9_999))


def _gif_without_code_size() -> bytes:
    file = gifs.animated(WIDTH, HEIGHT, gifs.Frame(width=WIDTH, height=HEIGHT, mark=1))
    at = file.index(b"\x2c") + 10
    return file[:at] + b"\x0f" + file[at + 1 :]


CASES = (
    *(
        Case(f"{name}-cut-at-{tenths}-tenths", partial(_cut, name, tenths), BROKEN)
        for name in ORIGINALS
        for tenths in TENTHS
    ),
    Case("gif-without-its-last-byte", lambda: pictures.gif()[:-1], PLAIN),
    Case("jpeg-without-its-end", lambda: pictures.jpeg()[:-2], BROKEN),
    Case("jpeg-segment-of-no-size", lambda: _jpeg(jpegs.segment(0xE5, b"", claimed=0)), PLAIN),
    Case("jpeg-segment-of-one", lambda: _jpeg(jpegs.segment(0xE5, b"", claimed=1)), PLAIN),
    Case("jpeg-segment-too-long", lambda: _jpeg(jpegs.segment(0xE5, b"x", claimed=65_535)), BROKEN),
    Case("jpeg-a-thousand-segments", lambda: _jpeg(*[jpegs.segment(0xE5, bytes(1_000))] * 1_000), PLAIN),
    Case("jpeg-no-rows", lambda: jpegs.with_size(pictures.jpeg(), WIDTH, 0), BROKEN),
    Case("jpeg-no-columns", lambda: jpegs.with_size(pictures.jpeg(), 0, HEIGHT), BROKEN),
    Case("png-wrong-sum-in-header", partial(_wrong_crc, b"IHDR"), BROKEN),
    Case("png-wrong-sum-in-data", partial(_wrong_crc, b"IDAT"), BROKEN),
    Case("png-no-data", lambda: pngs.assembled(pngs.header(WIDTH, HEIGHT)), BROKEN),
    Case(
        "png-no-rows",
        lambda: pngs.assembled(pngs.header(WIDTH, 0), pngs.chunk(b"IDAT", zlib.compress(b""))),
        BROKEN,
    ),
    Case("png-two-headers", _late_header, BROKEN),
    Case(
        "png-impossible-depth",
        lambda: pngs.assembled(pngs.header(9, 9, depth=3), pngs.chunk(b"IDAT", zlib.compress(bytes(99)))),
        BROKEN,
    ),
    Case(
        "png-palette-missing",
        lambda: pngs.assembled(
            pngs.header(9, 9, color=pngs.PALETTE), pngs.chunk(b"IDAT", zlib.compress(bytes(90)))
        ),
        BROKEN,
    ),
    Case("webp-claims-too-little", partial(_riff, -40), BROKEN),
    Case("webp-claims-too-much", partial(_riff, 4_000), BROKEN),
    Case("gif-no-size", lambda: gifs.animated(0, 0), BROKEN),
    Case("gif-no-frame", lambda: gifs.animated(WIDTH, HEIGHT), BROKEN),
    Case("gif-impossible-codes", _gif_without_code_size, BROKEN),
    Case("gif-animation-cut-between-frames", lambda: animations.CASES[1].make()[:-60], CUT_SHORT),
    Case("gif-animation-cut-within-a-frame", lambda: animations.CASES[1].make()[:-20], CUT_SHORT),
)

"""Pictures that move: disposal, local palettes, delays, loops, in every format that can."""

from __future__ import annotations

import struct
from functools import partial

from media.corpus import gifs, pictures, pngs, webps
from media.corpus.case import Case, Ready
from media.corpus.pictures import HEIGHT, WIDTH

FRAMES = 4
MOVING = Ready(width=WIDTH, height=HEIGHT, frames=FRAMES)
STILL = Ready(width=WIDTH, height=HEIGHT)


def _gif(
    *, disposal: int = 1, delay: int = 5, extra: bytes = gifs.INFINITE_LOOP, palette: bytes = b""
) -> bytes:
    """Return a GIF whose first frame is the marked picture, over which small squares wander."""
    first = gifs.Frame(width=WIDTH, height=HEIGHT, mark=1, disposal=1, delay=delay)
    later = (
        gifs.Frame(
            width=8,
            height=8,
            left=48 + 8 * step,
            top=40,
            color=2,
            disposal=disposal,
            delay=delay,
            palette=palette,
        )
        for step in range(FRAMES - 1)
    )
    return gifs.animated(WIDTH, HEIGHT, first, *later, extra=extra)


def _gif_outside_its_screen() -> bytes:
    first = gifs.Frame(width=WIDTH, height=HEIGHT, mark=1)
    return gifs.animated(WIDTH, HEIGHT, first, gifs.Frame(width=40, height=40, left=90, top=60, color=2))


def _gif_of_squares(count: int) -> bytes:
    """Return a GIF of frames of which no two neighbours are the same."""
    return gifs.animated(8, 8, *(gifs.Frame(width=8, height=8, color=place % 3) for place in range(count)))


def _webp(count: int = FRAMES) -> bytes:
    stills = [pictures.marked() for _ in range(count)]
    for place, still in enumerate(stills):
        still.paste((0, 200, 0), (50 + place, 40, 60 + place, 50))
    return pictures.saved(stills[0], "WEBP", save_all=True, append_images=stills[1:], duration=70, method=0)


def _apng() -> bytes:
    """Return a PNG of three frames; readers without APNG see the first."""
    plain = pictures.png()
    data = next(body for kind, body in _chunks(plain) if kind == b"IDAT")
    control = struct.pack(">IIIIHHBB", WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
    chunks = [pngs.chunk(b"acTL", struct.pack(">II", 3, 0)), pngs.chunk(b"fcTL", bytes(4) + control)]
    chunks.append(pngs.chunk(b"IDAT", data))
    for number in (1, 3):
        chunks.append(pngs.chunk(b"fcTL", struct.pack(">I", number) + control))
        chunks.append(pngs.chunk(b"fdAT", struct.pack(">I", number + 1) + data))
    return pngs.assembled(pngs.header(WIDTH, HEIGHT), *chunks)


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(pngs.SIGNATURE)
    while at < len(png):
        size = struct.unpack_from(">I", png, at)[0]
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def _webp_of_one() -> bytes:
    return webps.animation(webps.frame(pictures.webp(), WIDTH, HEIGHT), width=WIDTH, height=HEIGHT)


CASES = (
    *(Case(f"gif-disposal-{mode}", partial(_gif, disposal=mode), MOVING) for mode in range(4)),
    Case("gif-local-palettes", partial(_gif, palette=gifs.OTHER_PALETTE), MOVING),
    Case("gif-no-delay", partial(_gif, delay=0), MOVING),
    Case("gif-delay-of-eleven-minutes", partial(_gif, delay=65_535), MOVING),
    Case("gif-shown-once", partial(_gif, extra=b""), MOVING),
    Case(
        "gif-frame-outside-its-screen", _gif_outside_its_screen, Ready(width=WIDTH, height=HEIGHT, frames=2)
    ),
    Case(
        "gif-60-frames",
        partial(_gif_of_squares, 60),
        Ready(width=8, height=8, frames=60, marked=False),
    ),
    Case("webp-animated", _webp, MOVING),
    Case("webp-animated-of-one", _webp_of_one, STILL),
    Case("png-animated", _apng, STILL),
)

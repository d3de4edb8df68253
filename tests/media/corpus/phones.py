"""HEIC and AVIF as phones write them: tiled, deep, several in a file, with depth and alpha beside them."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import partial

import pillow_heif
import pyvips
from PIL import Image

from media.corpus import isomedia, pictures
from media.corpus.case import Case, Ready, Refused
from media.corpus.isomedia import Item
from media.corpus.pictures import GREY, HEIGHT, RED, WIDTH

PLAIN = Ready(width=WIDTH, height=HEIGHT)
TILE = 64


def _deep_heic() -> bytes:
    """Return a HEIC of ten bits."""
    pixel = {color: b"".join((value * 257).to_bytes(2, "little") for value in color) for color in (GREY, RED)}
    half = WIDTH // 2, HEIGHT // 2
    upper = pixel[RED] * half[0] + pixel[GREY] * half[0]
    image = pillow_heif.from_bytes("RGB;16", (WIDTH, HEIGHT), upper * half[1] + pixel[GREY] * WIDTH * half[1])
    buffer = io.BytesIO()
    image.save(buffer, quality=80)
    return buffer.getvalue()


def _deep_avif(bits: int) -> bytes:
    pixels = pictures.marked().tobytes()
    image = pyvips.Image.new_from_memory(pixels, WIDTH, HEIGHT, 3, "uchar").cast("ushort") * 257
    deep = image.cast("ushort").copy(interpretation="rgb16")
    return bytes(deep.heifsave_buffer(compression="av1", bitdepth=bits, effort=0, Q=80))


def tiled(kind: bytes, brand: bytes) -> bytes:
    """Return four tiles in a grid, of which the right and the lower ones are cut, as phones do."""
    encode = pictures.heic if kind == b"hvc1" else pictures.avif
    red, grey = (isomedia.coded(encode(_flat(color)), kind) for color in (RED, GREY))
    size = isomedia.ispe(2 * TILE - 8, 2 * TILE - 24)
    body = isomedia.grid(2, 2, 2 * TILE - 8, 2 * TILE - 24)
    canvas = Item(kind=b"grid", body=body, properties=(size,), references=((b"dimg", (2, 3, 4, 5)),))
    tiles = [replace(tile, hidden=True) for tile in (red, grey, grey, grey)]
    return isomedia.assembled(brand, [canvas, *tiles])


def _flat(color: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (TILE, TILE), color)


def _several() -> bytes:
    """Return three pictures, of which the second is the one to show."""
    other = isomedia.coded(pictures.heic(_flat(GREY)), b"hvc1")
    main = isomedia.coded(pictures.heic(), b"hvc1")
    return isomedia.assembled(b"heic", [other, main, other], primary=2)


def _thumbnailed() -> bytes:
    thumbnail = isomedia.coded(pictures.heic(_flat(GREY)), b"hvc1")
    small = replace(thumbnail, references=((b"thmb", (1,)),))
    return isomedia.assembled(b"heic", [isomedia.coded(pictures.heic(), b"hvc1"), small])


def _no_picture() -> bytes:
    return isomedia.assembled(b"heic", [Item(kind=b"mime", body=b"x", content_type=b"text/plain")])


def _grid_of_itself() -> bytes:
    size = isomedia.ispe(WIDTH, HEIGHT)
    grid = Item(
        kind=b"grid",
        body=isomedia.grid(1, 1, WIDTH, HEIGHT),
        properties=(size,),
        references=((b"dimg", (1,)),),
    )
    return isomedia.assembled(b"heic", [grid])


def _beyond_its_end() -> bytes:
    return pictures.heic()[:-120]


CASES = (
    Case("heic-plain", pictures.heic, PLAIN),
    Case("heic-ten-bits", _deep_heic, PLAIN),
    Case("heic-alpha", lambda: pictures.heic(pictures.half_seen()), PLAIN),
    Case("heic-grid", partial(tiled, b"hvc1", b"heic"), Ready(width=120, height=104)),
    Case("heic-several-pictures", _several, PLAIN),
    Case("heic-thumbnail-beside", _thumbnailed, PLAIN),
    Case("heic-no-picture", _no_picture, Refused("unreadable_image")),
    Case("heic-grid-of-itself", _grid_of_itself, Refused("unreadable_image")),
    Case("heic-data-beyond-its-end", _beyond_its_end, Refused("unreadable_image")),
    Case(
        "heif-brand-mif1",
        lambda: isomedia.assembled(b"mif1", [isomedia.coded(pictures.heic(), b"hvc1")], compatible=b"heic"),
        PLAIN,
    ),
    Case("avif-plain", pictures.avif, PLAIN),
    Case("avif-ten-bits", partial(_deep_avif, 10), PLAIN),
    Case("avif-twelve-bits", partial(_deep_avif, 12), PLAIN),
    Case("avif-alpha", lambda: pictures.avif(pictures.half_seen()), PLAIN),
    Case("avif-grid", partial(tiled, b"av01", b"avif"), Ready(width=120, height=104)),
)

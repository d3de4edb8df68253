"""Files of a few bytes that claim, or unpack to, gigabytes."""

from __future__ import annotations

import struct
from functools import partial

from media.corpus import gifs, isomedia, pictures, pngs, webps
from media.corpus.case import Case, Ready, Refused
from media.corpus.isomedia import Item
from media.corpus.pictures import HEIGHT, WIDTH

PLAIN = Ready(width=WIDTH, height=HEIGHT)
# Where the screen is larger than what it shows, only what it shows counts.
SMALL = Ready(width=4, height=4, marked=False)
UNPACKED_BYTES = 64 << 20


def _png_with_zeros(kind: bytes, before: bytes) -> bytes:
    return pngs.with_chunks(pictures.png(), pngs.chunk(kind, before + pngs.zeros(UNPACKED_BYTES)))


def _png_with_more_rows() -> bytes:
    """Return a PNG whose data unpacks to far more rows than its header says."""
    return pngs.assembled(pngs.header(WIDTH, HEIGHT), pngs.chunk(b"IDAT", pngs.zeros(UNPACKED_BYTES)))


def _gif_screen(width: int, height: int) -> bytes:
    return gifs.animated(width, height, gifs.Frame(width=4, height=4))


def _gif_claims(count: int, side: int) -> bytes:
    """Return frames that claim far more pixels than their data has."""
    return gifs.animated(side, side, *[gifs.Frame(width=4, height=4, claimed=side)] * count)


def _gif_frames(count: int, width: int, height: int) -> bytes:
    return gifs.animated(width, height, *[gifs.Frame(width=1, height=1)] * count)


def _webp_frames(count: int, width: int, height: int) -> bytes:
    dot = webps.frame(pictures.saved(pictures.marked(2, 2), "WEBP"), 2, 2)
    return webps.animation(*[dot] * count, width=width, height=height)


def _webp_canvas() -> bytes:
    """Return a still whose canvas claims far more than its picture has."""
    return webps.assembled(webps.extended(16_384, 16_384, 0), webps.bitstream(pictures.webp()))


def _webp_bitstream(width: int, height: int) -> bytes:
    """Return a lossy WebP whose own header claims another size."""
    file = pictures.webp()
    size_at = file.index(b"\x9d\x01\x2a") + 3
    return file[:size_at] + struct.pack("<HH", width, height) + file[size_at + 4 :]


def _claiming(width: int, height: int, *, brand: bytes = b"heic") -> bytes:
    """Return HEIC or AVIF whose size property has nothing to do with the picture in it."""
    kind = b"hvc1" if brand == b"heic" else b"av01"
    item = isomedia.coded(pictures.heic() if brand == b"heic" else pictures.avif(), kind)
    properties = tuple(
        isomedia.ispe(width, height) if each[4:8] == b"ispe" else each for each in item.properties
    )
    return isomedia.assembled(brand, [Item(kind=kind, body=item.body, properties=properties)])


def _grid(rows: int, columns: int, width: int, height: int, *, tiles: int) -> bytes:
    """Return a grid that uses the same tile over and over."""
    canvas = Item(
        kind=b"grid",
        body=isomedia.grid(rows, columns, width, height),
        properties=(isomedia.ispe(width, height),),
        references=((b"dimg", (2,) * tiles),),
    )
    return isomedia.assembled(b"heic", [canvas, isomedia.coded(pictures.heic(), b"hvc1")])


CASES = (
    Case("png-profile-unpacks-to-64-mb", partial(_png_with_zeros, b"iCCP", b"p\0\0"), PLAIN),
    Case("png-text-unpacks-to-64-mb", partial(_png_with_zeros, b"zTXt", b"t\0\0"), PLAIN),
    Case("png-long-text-unpacks-to-64-mb", partial(_png_with_zeros, b"iTXt", b"t\0\x01\0\0\0"), PLAIN),
    Case("png-more-rows-than-claimed", _png_with_more_rows, Ready(width=WIDTH, height=HEIGHT, marked=False)),
    Case("gif-screen-of-65535", partial(_gif_screen, 65_535, 65_535), SMALL),
    Case("gif-screen-of-49-megapixels", partial(_gif_screen, 7_000, 7_000), SMALL),
    Case("gif-frame-of-65535", partial(_gif_claims, 1, 65_535), Refused("too_many_pixels")),
    Case("gif-10000-frames", partial(_gif_frames, 10_000, 1, 1), Refused("too_many_frames")),
    Case("gif-61-frames", partial(_gif_frames, 61, 8, 8), Refused("too_many_frames")),
    Case("gif-60-frames-of-25-megapixels", partial(_gif_claims, 60, 5_000), Refused("animation_too_large")),
    Case("webp-10000-frames", partial(_webp_frames, 10_000, 2, 2), Refused("too_many_frames")),
    Case(
        "webp-60-frames-of-25-megapixels",
        partial(_webp_frames, 60, 5_000, 5_000),
        Refused("animation_too_large"),
    ),
    Case("webp-canvas-of-16384", _webp_canvas, Refused("unreadable_image")),
    Case("webp-picture-claims-16383", partial(_webp_bitstream, 16_383, 16_383), Refused("too_many_pixels")),
    Case(
        "webp-picture-claims-49-megapixels",
        partial(_webp_bitstream, 7_000, 7_000),
        Refused("unreadable_image"),
    ),
    Case("heic-claims-60000", partial(_claiming, 60_000, 60_000), Refused("too_many_pixels")),
    Case("heic-claims-more", partial(_claiming, 4_000, 3_000), Refused("unreadable_image")),
    Case("heic-claims-less", partial(_claiming, 8, 8), Refused("unreadable_image")),
    Case("avif-claims-60000", partial(_claiming, 60_000, 60_000, brand=b"avif"), Refused("too_many_pixels")),
    Case("avif-claims-more", partial(_claiming, 4_000, 3_000, brand=b"avif"), Refused("unreadable_image")),
    Case(
        "heic-grid-of-65536-tiles",
        partial(_grid, 256, 256, 24_576, 16_384, tiles=65_535),
        Refused("unreadable_image"),
    ),
    Case("heic-grid-of-missing-tiles", partial(_grid, 8, 8, 768, 512, tiles=3), Refused("unreadable_image")),
    Case(
        "heic-grid-larger-than-its-tiles",
        partial(_grid, 2, 2, 7_000, 7_000, tiles=4),
        Refused("unreadable_image"),
    ),
)

"""Photos of every kind of pixel: printers' inks, wide gamuts, sixteen bits, palettes, lying profiles."""

from __future__ import annotations

import zlib
from functools import partial

from PIL import Image

from media.corpus import icc, jpegs, pictures, pngs, secrets
from media.corpus.case import Case, Ready
from media.corpus.pictures import GREY, HEIGHT, RED, WIDTH

PLAIN = Ready(width=WIDTH, height=HEIGHT)
UNMARKED = Ready(width=WIDTH, height=HEIGHT, marked=False)


def _cmyk(transform: int | None = None) -> bytes:
    """Return a JPEG of four inks, inverted as Adobe writes them; `transform` 2 claims that it is YCCK."""
    file = pictures.saved(pictures.marked(mode="CMYK"), "JPEG", quality=95)
    if transform is None:
        return file
    mark = file.index(b"Adobe") + 11
    return file[:mark] + bytes((transform,)) + file[mark + 1 :]


def _profiled(profile: bytes, **more: int) -> bytes:
    return jpegs.with_segments(pictures.jpeg(), *jpegs.icc_segments(profile, **more))


def _profiled_png(profile: bytes) -> bytes:
    return pngs.with_chunks(pictures.png(), pngs.chunk(b"iCCP", b"p\0\0" + zlib.compress(profile)))


def _deep_png(color: int) -> bytes:
    """Return a PNG of sixteen bits a sample."""
    alpha = (65_535,) if color in {pngs.GREY_ALPHA, pngs.RGBA} else ()
    grey = color in {pngs.GREY, pngs.GREY_ALPHA}
    plain, mark = [
        ((values[0] * 257,) if grey else tuple(value * 257 for value in values)) + alpha
        for values in (GREY, RED)
    ]
    upper, lower = [mark] * (WIDTH // 2) + [plain] * (WIDTH // 2), [plain] * WIDTH
    half = HEIGHT // 2
    return pngs.assembled(
        pngs.header(WIDTH, HEIGHT, depth=16, color=color),
        pngs.rows([upper] * half + [lower] * half, depth=16),
    )


def _palette_png(transparent: int) -> bytes:
    palette = pictures.marked().convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    return pictures.saved(palette, "PNG", transparency=transparent)


def _smuggled(profile: bytes) -> bytes:
    """Return a profile that carries words behind its last tag."""
    grown = profile + secrets.WORDS * 3
    return icc.with_size(grown, len(grown))


def _grown(size_bytes: int) -> bytes:
    grown = icc.display_p3().ljust(size_bytes, b"\0")
    return icc.with_size(grown, len(grown))


def _interlaced() -> bytes:
    """Return a PNG of Adam7's seven passes."""
    image = pictures.marked()
    raw = b""
    for left, top, across, down in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        for y in range(top, HEIGHT, down):
            raw += b"\0" + b"".join(
                image.crop((x, y, x + 1, y + 1)).tobytes() for x in range(left, WIDTH, across)
            )
    header = pngs.chunk(b"IHDR", WIDTH.to_bytes(4, "big") + HEIGHT.to_bytes(4, "big") + b"\x08\x02\0\0\x01")
    return pngs.assembled(header, pngs.chunk(b"IDAT", zlib.compress(raw)))


CASES = (
    Case("jpeg-cmyk", _cmyk, PLAIN),
    Case("jpeg-ycck", partial(_cmyk, 2), UNMARKED),
    Case("jpeg-grey", lambda: pictures.saved(pictures.marked(mode="L"), "JPEG"), UNMARKED),
    Case("jpeg-progressive", partial(pictures.jpeg, progressive=True), PLAIN),
    Case("jpeg-not-subsampled", partial(pictures.jpeg, subsampling=0), PLAIN),
    Case("jpeg-display-p3", lambda: _profiled(icc.display_p3()), PLAIN),
    Case("jpeg-adobe-rgb", lambda: _profiled(icc.adobe_rgb()), PLAIN),
    Case("png-display-p3", lambda: _profiled_png(icc.display_p3()), PLAIN),
    Case("webp-display-p3", lambda: pictures.webp(icc_profile=icc.display_p3()), PLAIN),
    Case("heic-display-p3", lambda: pictures.heic(icc_profile=icc.display_p3()), PLAIN),
    Case("avif-display-p3", lambda: pictures.avif(icc_profile=icc.display_p3()), PLAIN),
    Case("jpeg-profile-of-noise", lambda: _profiled(bytes(range(256)) * 4), PLAIN),
    Case("jpeg-profile-cut-off", lambda: _profiled(icc.display_p3()[:200]), PLAIN),
    Case("jpeg-profile-empty", lambda: _profiled(b""), PLAIN),
    Case(
        "jpeg-profile-claims-four-gigabytes",
        lambda: _profiled(icc.with_size(icc.display_p3(), 0xFFFFFFFF)),
        PLAIN,
    ),
    Case("jpeg-profile-pieces-missing", lambda: _profiled(icc.display_p3(), claimed_pieces=9), PLAIN),
    Case("jpeg-profile-of-a-megabyte", lambda: _profiled(_grown(1_000_000)), PLAIN),
    Case("jpeg-profile-claims-grey", lambda: _profiled(icc.with_space(icc.display_p3(), b"GRAY")), PLAIN),
    Case("jpeg-profile-claims-inks", lambda: _profiled(icc.with_space(icc.display_p3(), b"CMYK")), PLAIN),
    Case("jpeg-profile-tells-words", lambda: _profiled(icc.display_p3(secrets.WORDS)), PLAIN),
    Case("jpeg-profile-smuggles-words", lambda: _profiled(_smuggled(icc.display_p3())), PLAIN),
    Case("png-profile-smuggles-words", lambda: _profiled_png(_smuggled(icc.display_p3())), PLAIN),
    Case("png-profile-of-noise", lambda: _profiled_png(bytes(range(256)) * 4), PLAIN),
    Case("png-sixteen-bits", partial(_deep_png, pngs.RGB), PLAIN),
    Case("png-sixteen-bits-with-alpha", partial(_deep_png, pngs.RGBA), PLAIN),
    Case("png-sixteen-bits-grey", partial(_deep_png, pngs.GREY), UNMARKED),
    Case("png-sixteen-bits-grey-with-alpha", partial(_deep_png, pngs.GREY_ALPHA), UNMARKED),
    Case("png-grey-with-alpha", lambda: pictures.saved(pictures.marked(mode="LA"), "PNG"), UNMARKED),
    Case("png-alpha", lambda: pictures.saved(pictures.marked(mode="RGBA"), "PNG"), PLAIN),
    Case("png-one-bit", lambda: pictures.saved(pictures.marked(mode="1"), "PNG"), UNMARKED),
    Case("png-palette", lambda: pictures.saved(pictures.marked().quantize(4), "PNG"), PLAIN),
    Case("png-palette-transparent", partial(_palette_png, 3), PLAIN),
    Case("png-interlaced", _interlaced, PLAIN),
    Case(
        "webp-lossless-alpha",
        lambda: pictures.saved(pictures.marked(mode="RGBA"), "WEBP", lossless=True),
        PLAIN,
    ),
    Case("webp-alpha", lambda: pictures.saved(pictures.half_seen(), "WEBP", quality=90), PLAIN),
    Case(
        "gif-transparent", lambda: pictures.saved(pictures.marked().quantize(4), "GIF", transparency=3), PLAIN
    ),
)

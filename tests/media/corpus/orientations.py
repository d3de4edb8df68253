"""Photos that lie on their side, in every format that can say so."""

from __future__ import annotations

from functools import partial

from media.corpus import isomedia, jpegs, pictures, pngs, webps
from media.corpus.case import Case, Ready
from media.corpus.exif import Exif
from media.corpus.isomedia import Item
from media.corpus.pictures import HEIGHT, WIDTH

UPRIGHT = Ready(width=WIDTH, height=HEIGHT)


def turned_jpeg(orientation: int, order: str = "<") -> bytes:
    """Return a JPEG that is the marked picture once its orientation is applied."""
    exif = Exif(orientation=orientation, order=order)
    plain = pictures.saved(pictures.stored(orientation), "JPEG", quality=90)
    return jpegs.with_segments(plain, jpegs.segment(jpegs.APP1, exif.app1()))


def _turned_png(orientation: int) -> bytes:
    plain = pictures.saved(pictures.stored(orientation), "PNG")
    return pngs.with_chunks(plain, pngs.chunk(b"eXIf", Exif(orientation=orientation).tiff()))


def _turned_webp(orientation: int) -> bytes:
    image = pictures.stored(orientation)
    bits = webps.bitstream(pictures.saved(image, "WEBP", quality=90, method=0))
    exif = webps.chunk(b"EXIF", Exif(orientation=orientation).tiff())
    return webps.assembled(webps.extended(*image.size, webps.EXIF), bits, exif)


def _turned_heic(orientation: int, *properties: bytes) -> bytes:
    image = pictures.stored(orientation)
    coded = isomedia.coded(pictures.heic(image), b"hvc1", properties=properties)
    return isomedia.assembled(b"heic", [coded])


def _turned_avif(orientation: int, *properties: bytes) -> bytes:
    coded = isomedia.coded(pictures.avif(pictures.stored(orientation)), b"av01", properties=properties)
    return isomedia.assembled(b"avif", [coded])


def _heic_with_exif(orientation: int) -> bytes:
    """Return a HEIC whose EXIF speaks of an orientation: only `irot` and `imir` count in HEIF."""
    exif = Item(
        kind=b"Exif",
        body=bytes(4) + Exif(orientation=orientation).tiff(),
        references=((b"cdsc", (1,)),),
    )
    return isomedia.assembled(b"heic", [isomedia.coded(pictures.heic(), b"hvc1"), exif])


CASES = (
    *(Case(f"jpeg-orientation-{turn}", partial(turned_jpeg, turn), UPRIGHT) for turn in range(1, 9)),
    *(
        Case(f"jpeg-orientation-{turn}-is-none", partial(turned_jpeg, turn), UPRIGHT)
        for turn in (0, 9, 65_535)
    ),
    Case("jpeg-orientation-6-big-endian", partial(turned_jpeg, 6, ">"), UPRIGHT),
    *(Case(f"png-orientation-{turn}", partial(_turned_png, turn), UPRIGHT) for turn in (3, 6)),
    *(Case(f"webp-orientation-{turn}", partial(_turned_webp, turn), UPRIGHT) for turn in (6, 7)),
    Case("heic-turned-once", partial(_turned_heic, 8, isomedia.irot(1)), UPRIGHT),
    Case("heic-turned-twice", partial(_turned_heic, 3, isomedia.irot(2)), UPRIGHT),
    Case("heic-turned-thrice", partial(_turned_heic, 6, isomedia.irot(3)), UPRIGHT),
    Case("heic-mirrored", partial(_turned_heic, 2, isomedia.imir(1)), UPRIGHT),
    Case("heic-orientation-in-exif-alone", partial(_heic_with_exif, 6), UPRIGHT),
    Case("avif-turned-once", partial(_turned_avif, 8, isomedia.irot(1)), UPRIGHT),
    Case("avif-mirrored", partial(_turned_avif, 2, isomedia.imir(1)), UPRIGHT),
)

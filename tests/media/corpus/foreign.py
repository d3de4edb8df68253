"""Files that are no photos that igloo takes, whatever they call themselves."""

from __future__ import annotations

from media.corpus import isomedia, pictures
from media.corpus.case import Case, Refused

NO_PHOTO = Refused("unsupported_format")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'


def _film(brand: bytes) -> bytes:
    """Return an MP4 that holds no picture."""
    return (
        isomedia.box(b"ftyp", brand, bytes(4), brand, b"isom")
        + isomedia.box(b"moov", bytes(100))
        + isomedia.box(b"mdat", bytes(500))
    )


CASES = (
    Case("svg-with-script", lambda: SVG, NO_PHOTO),
    Case("svg-with-declaration", lambda: b'<?xml version="1.0"?>' + SVG, NO_PHOTO),
    Case("html", lambda: b"<!doctype html><script>alert(1)</script>", NO_PHOTO),
    Case("pdf", lambda: b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF", NO_PHOTO),
    Case("tiff", lambda: pictures.saved(pictures.marked(), "TIFF"), NO_PHOTO),
    Case("bmp", lambda: pictures.saved(pictures.marked(), "BMP"), NO_PHOTO),
    Case("ico", lambda: pictures.saved(pictures.marked(), "ICO"), NO_PHOTO),
    Case("jpeg-2000", lambda: pictures.saved(pictures.marked(), "JPEG2000"), NO_PHOTO),
    Case("ppm", lambda: pictures.saved(pictures.marked(), "PPM"), NO_PHOTO),
    Case("tga", lambda: pictures.saved(pictures.marked(), "TGA"), NO_PHOTO),
    Case("jpeg-xl", lambda: b"\xff\x0a" + bytes(200), NO_PHOTO),
    Case("postscript", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage", NO_PHOTO),
    Case(
        "imagemagick-script",
        lambda: b"push graphic-context\nfill 'url(https://127.0.0.1/)'\npop graphic-context",
        NO_PHOTO,
    ),
    Case("wave-in-riff", lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(30), NO_PHOTO),
    Case("film", lambda: _film(b"isom"), NO_PHOTO),
    Case("film-with-the-brand-of-photos", lambda: _film(b"heic"), Refused("unreadable_image")),
    Case("film-with-the-brand-of-avif", lambda: _film(b"avif"), Refused("unreadable_image")),
    Case("zip", lambda: b"PK\x03\x04" + bytes(100), NO_PHOTO),
    Case("program", lambda: b"\x7fELF\x02\x01\x01" + bytes(100), NO_PHOTO),
)

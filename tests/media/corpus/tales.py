"""Photos that tell where, when and with what they were taken, in every place a format has for it."""

from __future__ import annotations

import struct
import zlib
from functools import partial

from media.corpus import gifs, isomedia, jpegs, pictures, pngs, secrets, webps
from media.corpus.case import Case, Ready
from media.corpus.exif import Exif, iptc, xmp
from media.corpus.isomedia import Item
from media.corpus.orientations import turned_jpeg
from media.corpus.pictures import HEIGHT, WIDTH

EXIF_KINDS = ("exif", "position", "camera", "time", "comment", "maker_notes")
XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP_NAME = b"http://ns.adobe.com/xmp/extension/\0"


def _told(*kinds: str) -> Ready:
    return Ready(width=WIDTH, height=HEIGHT, told=frozenset(kinds))


EXIF_TOLD = _told(*EXIF_KINDS)


def _exif(**fields: object) -> bytes:
    return _jpeg(jpegs.segment(jpegs.APP1, Exif(**fields).app1()))  # type: ignore[arg-type]  # Exif's own


def _jpeg(*segments: bytes) -> bytes:
    return jpegs.with_segments(pictures.jpeg(), *segments)


def _endless_maker_note() -> bytes:
    return _exif(claimed_maker_note_bytes=0xFFFFFFFF)


def _xmp() -> bytes:
    return _jpeg(jpegs.segment(jpegs.APP1, XMP_NAME + xmp()))


def _extended_xmp() -> bytes:
    packet = xmp()
    head = EXTENDED_XMP_NAME + b"0" * 32 + struct.pack(">II", len(packet), 0)
    return _jpeg(jpegs.segment(jpegs.APP1, XMP_NAME + xmp()), jpegs.segment(jpegs.APP1, head + packet))


def _iptc() -> bytes:
    return _jpeg(jpegs.segment(jpegs.APP13, iptc()))


def _comment() -> bytes:
    return _jpeg(jpegs.segment(jpegs.COMMENT, secrets.WORDS))


def _every_segment() -> bytes:
    """Return a JPEG with the planted words in each application segment there is."""
    segments = (
        jpegs.segment(marker, b"Lemming\0" + secrets.WORDS) for marker in range(0xE3, 0xF0) if marker != 0xEE
    )
    return _jpeg(
        jpegs.segment(jpegs.APP1, Exif().app1()), *segments, jpegs.segment(jpegs.COMMENT, secrets.WORDS)
    )


def _thumbnail() -> bytes:
    return _exif(thumbnail=turned_jpeg(1))


def _several_pictures() -> bytes:
    """Return a JPEG of two pictures (CIPA DC-007), of which the second tells a place as well."""
    second = turned_jpeg(1)
    entry = struct.pack("<IIIHH", 0x20000000, 1000, 0, 0, 0) + struct.pack(
        "<IIIHH", 0, len(second), 1000, 0, 0
    )
    table = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, 4, 1, 2)
    table += struct.pack("<HHII", 0xB002, 7, len(entry), 8 + 2 + 36 + 4)
    directory = b"II*\0" + struct.pack("<IH", 8, 3) + table + bytes(4) + entry
    return _jpeg(jpegs.segment(jpegs.APP2, b"MPF\0" + directory)) + second


def _png(*chunks: bytes) -> bytes:
    return pngs.with_chunks(pictures.png(), *chunks)


def _png_texts() -> bytes:
    return _png(
        pngs.chunk(b"tEXt", b"Comment\0" + secrets.WORDS),
        pngs.chunk(b"zTXt", b"Location\0\0" + zlib.compress(secrets.LATITUDE_TEXT)),
        pngs.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp()),
        pngs.chunk(b"tIME", struct.pack(">HBBBBB", 2019, 12, 21, 11, 22, 33)),
    )


def _png_many_texts() -> bytes:
    return _png(*[pngs.chunk(b"tEXt", b"Comment\0" + secrets.WORDS)] * 50_000)


def _png_latin_keyword() -> bytes:
    return _png(pngs.chunk(b"tEXt", "Größe".encode("latin-1") + b"\0" + secrets.WORDS))


def _png_raw_profile() -> bytes:
    """Return a PNG with EXIF as old programs wrote it: in hexadecimal."""
    body = Exif().app1()
    text = b"\nexif\n%8d\n" % len(body) + body.hex().encode()
    return _png(pngs.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)))


def _webp() -> bytes:
    return webps.assembled(
        webps.extended(WIDTH, HEIGHT, webps.EXIF | webps.XMP),
        webps.bitstream(pictures.webp()),
        webps.chunk(b"EXIF", Exif().app1()),
        webps.chunk(b"XMP ", xmp()),
        webps.chunk(b"LMNG", secrets.WORDS),
    )


def _gif() -> bytes:
    frame = gifs.Frame(width=WIDTH, height=HEIGHT, mark=1)
    extra = gifs.comment(secrets.WORDS) + gifs.xmp_extension(xmp())
    return gifs.animated(WIDTH, HEIGHT, frame, extra=extra)


def _iso(brand: bytes, kind: bytes, file: bytes) -> bytes:
    about = ((b"cdsc", (1,)),)
    items = (
        isomedia.coded(file, kind),
        Item(kind=b"Exif", body=struct.pack(">I", 6) + Exif().app1(), references=about),
        Item(kind=b"mime", body=xmp(), references=about, content_type=b"application/rdf+xml"),
        Item(kind=b"uri ", body=secrets.WORDS, references=about),
    )
    return isomedia.assembled(brand, items)


def _heic() -> bytes:
    return _iso(b"heic", b"hvc1", pictures.heic())


def _avif() -> bytes:
    return _iso(b"avif", b"av01", pictures.avif())


def _avif_with_a_strange_item() -> bytes:
    strange = Item(kind=b"Ex\xd5\xff", body=secrets.WORDS, references=((b"cdsc", (1,)),))
    return isomedia.assembled(b"avif", [isomedia.coded(pictures.avif(), b"av01"), strange])


CASES = (
    Case("jpeg-position-little-endian", partial(_exif, order="<"), EXIF_TOLD),
    Case("jpeg-position-big-endian", partial(_exif, order=">"), EXIF_TOLD),
    Case("jpeg-position-in-xmp", _xmp, _told("xmp", "position", "comment")),
    Case("jpeg-position-in-extended-xmp", _extended_xmp, _told("xmp", "position", "comment")),
    Case("jpeg-position-in-iptc", _iptc, _told("iptc")),
    Case("jpeg-comment", _comment, _told("comment")),
    Case("jpeg-words-in-every-segment", _every_segment, EXIF_TOLD),
    Case("jpeg-thumbnail-with-a-position", _thumbnail, _told(*EXIF_KINDS, "embedded_thumbnail")),
    Case("jpeg-second-picture-with-a-position", _several_pictures, _told("embedded_pictures")),
    Case("jpeg-maker-note-claims-four-gigabytes", _endless_maker_note, _told("exif", "position")),
    Case("jpeg-directories-in-a-circle", partial(_exif, cyclic=True), _told("exif", "position")),
    Case("jpeg-exif-twice", lambda: _jpeg(*[jpegs.segment(jpegs.APP1, Exif().app1())] * 2), EXIF_TOLD),
    Case("jpeg-exif-cut-off", lambda: _jpeg(jpegs.segment(jpegs.APP1, Exif().app1()[:40])), _told("exif")),
    Case("png-position", lambda: _png(pngs.chunk(b"eXIf", Exif().tiff())), EXIF_TOLD),
    Case("png-texts", _png_texts, _told("text", "time", "xmp", "position")),
    Case("png-fifty-thousand-texts", _png_many_texts, _told("text")),
    Case("png-keyword-in-latin-1", _png_latin_keyword, _told("text")),
    Case("png-position-in-hexadecimal", _png_raw_profile, _told("text")),
    Case("webp-position", _webp, _told(*EXIF_KINDS, "xmp")),
    Case("gif-comment-and-xmp", _gif, _told("comment", "xmp")),
    Case("heic-position", _heic, _told(*EXIF_KINDS, "xmp")),
    Case("avif-item-of-unreadable-type", _avif_with_a_strange_item, _told()),
    Case("avif-position", _avif, _told(*EXIF_KINDS, "xmp")),
)

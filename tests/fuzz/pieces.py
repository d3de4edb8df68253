"""Where a file is made of parts: segments, chunks, blocks and boxes, and the numbers that rule decoders."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.corpus import pngs

BOXES_OF_BOXES = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"iref": 12, b"iinf": 14}


@dataclass(frozen=True)
class Piece:
    """One part of a file: all of it, and where its body begins."""

    start: int
    body: int
    end: int


@dataclass(frozen=True)
class Number:
    """A number in a file that a decoder believes: a length or a dimension."""

    at: int
    layout: str

    def written(self, data: bytes, value: int) -> bytes:
        """Return the file with this number replaced, cut to what fits."""
        size = struct.calcsize(self.layout)
        kept = struct.pack(self.layout, value & ((1 << 8 * size) - 1))
        return data[: self.at] + kept + data[self.at + size :]


def kind_of(data: bytes) -> str:
    """Return `jpeg`, `png`, `webp`, `gif` or `heif`."""
    signs = {b"\xff\xd8": "jpeg", b"\x89PNG": "png", b"RIFF": "webp", b"GIF8": "gif"}
    return next((kind for sign, kind in signs.items() if data.startswith(sign)), "heif")


def pieces_of(data: bytes) -> list[Piece]:
    """Return the parts of a file in their order; those inside of others too."""
    return list(_READERS[kind_of(data)](data))


def numbers_of(data: bytes, pieces: list[Piece]) -> list[Number]:
    """Return lengths and dimensions."""
    return list(_NUMBERS[kind_of(data)](data, pieces))


def repaired(data: bytes) -> bytes:
    """Return a PNG whose sums are right again, so that its decoder looks beyond them; others as they are."""
    if kind_of(data) != "png":
        return data
    chunks = ((data[each.start + 4 : each.body], data[each.body : each.end - 4]) for each in pieces_of(data))
    return pngs.SIGNATURE + b"".join(pngs.chunk(kind, body) for kind, body in chunks)


def _jpeg(data: bytes) -> Iterator[Piece]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        # A length counts itself; decoders read on behind one that says less.
        end = at + 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        yield Piece(at, min(at + 4, len(data)), min(end, len(data)))
        if data[at + 1] == 0xDA:
            yield Piece(min(end, len(data)), min(end, len(data)), len(data))
            return
        at = end


def _png(data: bytes) -> Iterator[Piece]:
    at = len(pngs.SIGNATURE)
    while at + 12 <= len(data):
        end = min(at + 12 + int.from_bytes(data[at : at + 4], "big"), len(data))
        yield Piece(at, at + 8, end)
        at = end


def _webp(data: bytes, at: int = 12) -> Iterator[Piece]:
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = min(at + 8 + size + size % 2, len(data))
        yield Piece(at, at + 8, end)
        if data[at : at + 4] == b"ANMF":
            yield from _webp(data[:end], at + 24)
        at = end


def _gif(data: bytes) -> Iterator[Piece]:
    at = 13 + _palette_bytes(data[10:11])
    while at < len(data) and data[at] in b"!,":
        body = at + 2 if data[at : at + 1] == b"!" else at + 11
        if data[at : at + 1] == b",":
            body += _palette_bytes(data[at + 9 : at + 10])
        end = body
        while end < len(data) and data[end]:
            end += data[end] + 1
        yield Piece(at, min(body, len(data)), min(end + 1, len(data)))
        at = end + 1


def _palette_bytes(flags: bytes) -> int:
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def _heif(data: bytes, at: int = 0, limit: int | None = None) -> Iterator[Piece]:
    limit = len(data) if limit is None else limit
    while at + 8 <= limit:
        size = max(int.from_bytes(data[at : at + 4], "big"), 8)
        end = min(at + size, limit)
        yield Piece(at, at + 8, end)
        if inside := BOXES_OF_BOXES.get(data[at + 4 : at + 8]):
            yield from _heif(data, at + inside, end)
        at = end


def _jpeg_numbers(data: bytes, pieces: list[Piece]) -> Iterator[Number]:
    for piece in pieces:
        if piece.body > piece.start:
            yield Number(piece.start + 2, ">H")
            if data[piece.start + 1] in (0xC0, 0xC2):
                yield from (
                    Number(piece.body + 1, ">H"),
                    Number(piece.body + 3, ">H"),
                    Number(piece.body + 5, ">B"),
                )


def _png_numbers(_: bytes, pieces: list[Piece]) -> Iterator[Number]:
    header = pieces[0].body
    yield from (
        Number(header, ">I"),
        Number(header + 4, ">I"),
        *(Number(header + n, ">B") for n in range(8, 13)),
    )
    yield from (Number(piece.start, ">I") for piece in pieces)


def _webp_numbers(data: bytes, pieces: list[Piece]) -> Iterator[Number]:
    yield Number(4, "<I")
    for piece in pieces:
        yield Number(piece.start + 4, "<I")
        if data[piece.start : piece.start + 4] in (b"VP8X", b"ANMF", b"VP8 ", b"VP8L"):
            yield from (Number(min(piece.body + n, len(data) - 4), "<H") for n in (0, 3, 4, 6, 7, 8))


def _gif_numbers(data: bytes, pieces: list[Piece]) -> Iterator[Number]:
    yield from (Number(6, "<H"), Number(8, "<H"), Number(10, "<B"))
    for piece in pieces:
        if data[piece.start : piece.start + 1] == b",":
            yield from (Number(piece.start + n, "<H") for n in (1, 3, 5, 7))
            yield Number(piece.body, "<B")


def _heif_numbers(data: bytes, pieces: list[Piece]) -> Iterator[Number]:
    for piece in pieces:
        yield Number(piece.start, ">I")
        whole_numbers = range(piece.body, min(piece.end, piece.body + 64) - 4, 4)
        if data[piece.start + 4 : piece.body] in (b"ispe", b"iloc", b"ipma", b"dimg", b"pitm"):
            yield from (Number(at, ">I") for at in whole_numbers)


_READERS = {"jpeg": _jpeg, "png": _png, "webp": _webp, "gif": _gif, "heif": _heif}
_NUMBERS = {
    "jpeg": _jpeg_numbers,
    "png": _png_numbers,
    "webp": _webp_numbers,
    "gif": _gif_numbers,
    "heif": _heif_numbers,
}

"""What the corpus plants in its files and no rendition may hold: words, a camera, a place."""

from __future__ import annotations

import struct

WORDS = b"burrow-under-the-third-drift"
CAMERA = b"Lemming Optik 7"
LATITUDE_TEXT, LONGITUDE_TEXT = b"64.146502", b"21.942309"
LATITUDE = ((64, 1), (8, 1), (474071, 10007))
LONGITUDE = ((21, 1), (56, 1), (323071, 10009))
TAKEN_AT = b"2019:12:21 11:22:33"


def rationals(values: tuple[tuple[int, int], ...], order: str) -> bytes:
    """Return EXIF rationals."""
    return b"".join(struct.pack(f"{order}II", *value) for value in values)


_PLACES = tuple(rationals(place, order) for place in (LATITUDE, LONGITUDE) for order in "<>")
_TEXTS = (WORDS, CAMERA, LATITUDE_TEXT, LONGITUDE_TEXT, TAKEN_AT)
_WIDE_TEXTS = tuple(text.decode().encode(coding) for text in _TEXTS for coding in ("utf-16-le", "utf-16-be"))
PLANTED = (*_PLACES, *_TEXTS, *_WIDE_TEXTS)

"""Tiny photos of which no two are alike, and the ways in which they come to igloo."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from functools import cache
from uuid import uuid4

from PIL import Image

from igloo_local.phone import REQUEST_TIMEOUT_SECONDS, Json, Phone, Refused

_COMMENT = b"\xff\xfe"


@cache
def _plain(red: int, green: int, blue: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (48, 36), (red, green, blue)).save(file, "JPEG")
    return file.getvalue()


def draw(chance: random.Random) -> bytes:
    """Return a JPEG of one colour; a comment in it makes its bytes its own."""
    plain = _plain(*(chance.randrange(0, 256, 51) for _ in range(3)))
    words = uuid4().bytes
    return plain[:2] + _COMMENT + (len(words) + 2).to_bytes(2, "big") + words + plain[2:]


def send_form(phone: Phone, photos: Sequence[bytes], *, key: str) -> list[str]:
    """Upload photos in one form, `POST /v1/media`; return the media's ids.

    Raises:
        Refused: for any status of 400 or more.
    """
    response = phone.http.post(
        f"{phone.gateway}/v1/media",
        files=[("files", (f"{place}.jpg", photo, "image/jpeg")) for place, photo in enumerate(photos)],
        headers={"Authorization": f"Bearer {phone.access_token}", "Idempotency-Key": key},
        timeout=REQUEST_TIMEOUT_SECONDS,
    )
    if not response.ok:
        raise Refused(response)
    return [str(upload["media_id"]) for upload in response.json()["data"]]


def wishes(photos: Sequence[bytes]) -> list[Json]:
    """Write what `POST /v1/uploads` is asked for; asked again, it is the same uploads."""
    return [
        {"content_type": "image/jpeg", "size_bytes": len(photo), "client_id": str(uuid4())}
        for photo in photos
    ]

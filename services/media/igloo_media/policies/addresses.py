"""Who may fetch a rendition: whoever holds an address that igloo signed and that has not expired."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from igloo_common.errors import Forbidden, NotFound
from igloo_common.signatures import verify_path

PATH = re.compile(r"/media/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([a-z]{1,16})")
EXPIRES = re.compile(r"[0-9]{1,10}")


class RenditionNotFound(NotFound):
    """No such rendition, or the photo is not ready or is deleted."""


class AddressInvalid(Forbidden):
    """The address carries no signature of igloo's."""


class AddressExpired(Forbidden):
    """The address was signed by igloo and has expired: ask for the post or the photo again."""


@dataclass(frozen=True, kw_only=True)
class SignedAddress:
    """A rendition that may be fetched, and until when (Unix seconds)."""

    media_id: UUID
    name: str
    expires: int


def check_address(address: str, *, keys: Sequence[str], now: datetime) -> SignedAddress:
    """Check path and query of a request for a rendition.

    Raises:
        RenditionNotFound: it is no rendition's path.
        AddressInvalid: the signature is missing or wrong.
        AddressExpired: the signature is right and its time is over.
    """
    parts = urlsplit(address)
    place = PATH.fullmatch(parts.path)
    if place is None:
        raise RenditionNotFound("There is no such rendition.")
    query = parse_qs(parts.query)
    expires_text, signature = query.get("expires", [""])[-1], query.get("signature", [""])[-1]
    if not EXPIRES.fullmatch(expires_text):
        raise AddressInvalid("The address is not signed.")
    expires = int(expires_text)
    if not verify_path(parts.path, expires=expires, signature=signature, now=_before(expires), keys=keys):
        raise AddressInvalid("The signature of the address is wrong.")
    if now.timestamp() >= expires:
        raise AddressExpired("The address has expired.")
    return SignedAddress(media_id=UUID(place[1]), name=place[2], expires=expires)


def _before(expires: int) -> datetime:
    """Give the last second in which an address was good: an old signature is told apart from a wrong one."""
    return datetime.fromtimestamp(expires, UTC) - timedelta(seconds=1)

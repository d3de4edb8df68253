"""Who may fetch a rendition: whoever holds an address that igloo signed and that has not expired."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from igloo_common.errors import Forbidden, NotFound
from igloo_common.signatures import verify_path

# The first version of a rendition is named without a number.
PATH = re.compile(
    r"/media/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([a-z]{1,16})(?:_([2-9]|[1-9][0-9]{1,5}))?"
)
# One spelling and nothing besides: every address that is good has one entry in the caches, which anybody
# could fill up otherwise, by adding to it what they like.
QUERY = re.compile(r"expires=([0-9]{1,10})&signature=([0-9a-f]{1,64})")


class RenditionNotFound(NotFound):
    """No such rendition, or the photo is not ready, is deleted, or was taken down."""


class AddressInvalid(Forbidden):
    """The address carries no signature of igloo's."""


class AddressExpired(Forbidden):
    """The address was signed by igloo and has expired: ask for the post or the photo again."""


@dataclass(frozen=True, kw_only=True)
class SignedAddress:
    """A rendition that may be fetched, and until when (Unix seconds)."""

    media_id: UUID
    name: str
    version: int
    expires: int


def check_address(address: str, *, keys: Sequence[str], now: datetime) -> SignedAddress:
    """Check path and query of a request for a rendition.

    Raises:
        RenditionNotFound: it is no rendition's path.
        AddressInvalid: the signature is missing or wrong.
        AddressExpired: the signature is right and its time is over.
    """
    path, _, query = address.partition("?")
    place = PATH.fullmatch(path)
    if place is None:
        raise RenditionNotFound("There is no such rendition.")
    signed = QUERY.fullmatch(query)
    if signed is None:
        raise AddressInvalid("The address is not signed.")
    expires = int(signed[1])
    if not verify_path(path, expires=expires, signature=signed[2], now=_before(expires), keys=keys):
        raise AddressInvalid("The signature of the address is wrong.")
    if now.timestamp() >= expires:
        raise AddressExpired("The address has expired.")
    return SignedAddress(media_id=UUID(place[1]), name=place[2], version=int(place[3] or 1), expires=expires)


def _before(expires: int) -> datetime:
    """Give the last second in which an address was good: an old signature is told apart from a wrong one."""
    return datetime.fromtimestamp(expires, UTC) - timedelta(seconds=1)

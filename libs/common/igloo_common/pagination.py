"""Keyset pages: sealed cursors, and the envelope and links around a page."""

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from flask import Response, request
from marshmallow import Schema, fields, post_load, validate

from igloo_common.errors import Malformed
from igloo_common.responses import json_response
from igloo_common.wiring import current_wiring

Direction = Literal["older", "newer"]
Position = tuple[datetime, UUID]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_VERSION: Final = 1
_PAYLOAD: Final = struct.Struct(">BBq16s")
_TAG_BYTES: Final = 16
_DIRECTIONS: Final[tuple[Direction, Direction]] = ("older", "newer")
MAX_LIMIT: Final = 100


class InvalidCursor(Malformed):
    """The cursor was not made by this operation for this caller; begin again without one."""


@dataclass(frozen=True)
class Cursor:
    """A place in a list, and the way to read on from it; the row at the place itself is not repeated."""

    at: datetime
    id: UUID
    direction: Direction


@dataclass(frozen=True, kw_only=True)
class PageQuery:
    """What page a client asks for."""

    limit: int
    cursor: str | None

    def position(self, *, scope: str) -> Cursor | None:
        """Return the decoded cursor; raises InvalidCursor."""
        return None if self.cursor is None else decode_cursor(self.cursor, scope=scope)


class PageQuerySchema(Schema):
    """`?limit=&cursor=` of every list."""

    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(min=1, max=MAX_LIMIT),
        metadata={"description": "How many entries at most; a shorter page is not the end of the list."},
    )
    cursor = fields.String(
        load_default=None,
        metadata={"description": "`next_cursor` or `prev_cursor` of another page of this list, as it came."},
    )

    @post_load
    def _query(self, values: dict[str, Any], **_: object) -> PageQuery:
        return PageQuery(**values)


class PageSchema(Schema):
    """Where the list goes on; null where it does not."""

    next_cursor = fields.String(required=True, allow_none=True)
    prev_cursor = fields.String(required=True, allow_none=True)


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The cursors on both sides of a page."""

    next: Cursor | None
    prev: Cursor | None


def neighbours(scanned: Sequence[Position], *, asked: Cursor | None, more: bool) -> Neighbours:
    """Work out the cursors around a page of a list that is shown newest first.

    `scanned` are the positions of all rows read, newest first, those that the viewer may not see included;
    `more` tells whether rows remain in the direction that was read. The way to newer rows stays open even
    when there are none yet: asking it again later is how a client looks for what is new.
    """
    reading_newer = asked is not None and asked.direction == "newer"
    if scanned:
        older, newer = Cursor(*scanned[-1], direction="older"), Cursor(*scanned[0], direction="newer")
    elif asked is not None:
        older, newer = replace(asked, direction="older"), replace(asked, direction="newer")
    else:
        return Neighbours(next=None, prev=None)
    return Neighbours(next=older if reading_newer or (scanned and more) else None, prev=newer)


def encode_cursor(cursor: Cursor, *, scope: str) -> str:
    """Write a cursor as opaque text that only the same scope reads back.

    `scope` names the operation, its filters and its viewer, for example `feed:<user id>`.
    """
    micros = microseconds(cursor.at)
    return seal(_PAYLOAD.pack(_VERSION, _DIRECTIONS.index(cursor.direction), micros, cursor.id.bytes), scope)


def decode_cursor(text: str, *, scope: str) -> Cursor:
    """Read a cursor of this scope; raises InvalidCursor for anything else."""
    version, direction, micros, id_bytes = _PAYLOAD.unpack(unseal(text, scope, size_bytes=_PAYLOAD.size))
    if version != _VERSION:
        raise InvalidCursor("The cursor is of another version.")
    return Cursor(moment(micros), UUID(bytes=id_bytes), _DIRECTIONS[direction])


def seal(payload: bytes, scope: str) -> str:
    """Write bytes as opaque text that only the same scope reads back, and only we can read at all.

    A cursor names the last row scanned, also one that was not shown: whom a block hides, or somebody's
    private post. AES-SIV (RFC 5297) makes the same text of the same payload, and needs no nonce. The
    payload's length is 2 more than a multiple of 3, so that the text needs no padding.
    """
    return base64.urlsafe_b64encode(_cipher().encrypt(payload, [scope.encode()])).decode()


def unseal(text: str, scope: str, *, size_bytes: int) -> bytes:
    """Read what `seal` wrote for this scope; raises InvalidCursor for anything else."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InvalidCursor("The cursor is not valid.") from error
    if len(raw) != size_bytes + _TAG_BYTES or len(text) * 3 != len(raw) * 4:
        raise InvalidCursor("The cursor is not valid here.")
    try:
        return _cipher().decrypt(raw, [scope.encode()])
    except InvalidTag as error:
        raise InvalidCursor("The cursor is not valid here.") from error


def microseconds(at: datetime) -> int:
    """Count a time as the whole microseconds since 1970 that PostgreSQL keeps of it."""
    return (at - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """Give the time that so many microseconds since 1970 are."""
    return _EPOCH + micros * _MICROSECOND


def page_response(
    data: Sequence[object],
    *,
    scope: str,
    around: Neighbours,
    more_of_page: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send a page: `{"data", "page": {"next_cursor", "prev_cursor"}}` and a Link header (RFC 8288).

    `more_of_page` is what a list with a page schema of its own says beside the cursors.
    """
    next_cursor = None if around.next is None else encode_cursor(around.next, scope=scope)
    prev_cursor = None if around.prev is None else encode_cursor(around.prev, scope=scope)
    page = {"next_cursor": next_cursor, "prev_cursor": prev_cursor, **(more_of_page or {})}
    response = json_response({"data": data, "page": page}, headers=headers)
    _add_links(response, (("next", next_cursor), ("prev", prev_cursor)))
    return response


def _add_links(response: Response, cursors: Sequence[tuple[str, str | None]]) -> None:
    others = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    # A cursor is written in characters that a query takes as they are.
    start = f"{quote(request.path)}?{urlencode(others)}{'&' if others else ''}cursor="
    links = [f'<{start}{cursor}>; rel="{rel}"' for rel, cursor in cursors if cursor]
    if links:
        response.headers["Link"] = ", ".join(links)


def _cipher() -> AESSIV:
    return AESSIV(current_wiring().cursor_key)

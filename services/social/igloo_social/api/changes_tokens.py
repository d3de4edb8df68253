"""The tokens from which on a phone asks for changes of its feed: opaque, sealed, and one person's."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from igloo_common.errors import Gone
from igloo_common.pagination import InvalidCursor, microseconds, moment, seal, unseal
from igloo_social.policies.feed_changes import OVERLAP, TOKENS_WORK_FOR

if TYPE_CHECKING:
    from datetime import datetime

_VERSION: Final = 1
_PAYLOAD: Final = struct.Struct(">BBqq16sx")
_NIL: Final = UUID(int=0)


class ChangesExpired(Gone):
    """The token is too old for the changes since to be known: read the feed anew."""

    def __init__(self) -> None:
        super().__init__("This token is too old: read the feed anew.")


@dataclass(frozen=True, kw_only=True)
class ChangesToken:
    """A place in the stream of changes.

    At rest, everything up to `until` was read, and the next reading begins OVERLAP before it: for what has
    been committed late. On the way, a reading of all up to `until` goes on exactly behind a place; at its
    end it rests at the time at which it began, for late commits of which it was past.
    """

    until: datetime
    place: tuple[datetime, UUID] | None = None

    @classmethod
    def decode(cls, text: str, *, scope: str, now: datetime) -> Self:
        """Read a token of this scope.

        Raises:
            InvalidCursor: It is none.
            ChangesExpired: It is too old.
        """
        version, on_the_way, until, at, id_bytes = _PAYLOAD.unpack(
            unseal(text, scope, size_bytes=_PAYLOAD.size)
        )
        if version != _VERSION:
            raise InvalidCursor("The token is of another version.")
        place = (moment(at), UUID(bytes=id_bytes)) if on_the_way else None
        token = cls(until=moment(until), place=place)
        if token.after[0] < now - TOKENS_WORK_FOR:
            raise ChangesExpired
        return token

    def encode(self, *, scope: str) -> str:
        """Write it as opaque text that only the same scope reads back."""
        at, id_ = self.place or (self.until, _NIL)
        fields = (self.place is not None, microseconds(self.until), microseconds(at), id_.bytes)
        return seal(_PAYLOAD.pack(_VERSION, *fields), scope)

    @property
    def after(self) -> tuple[datetime, UUID]:
        """Where the next reading begins."""
        return self.place or (self.until - OVERLAP, _NIL)

    def reading_until(self, now: datetime) -> datetime:
        """Up to when the next reading goes: one that is on its way has its end already."""
        return self.until if self.place else now

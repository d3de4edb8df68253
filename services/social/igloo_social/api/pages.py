"""What the routes that answer with pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from igloo_common.pagination import neighbours, page_response
from igloo_social.queries.posts import Scan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from flask import Response

    from igloo_common.pagination import Cursor, PageQuery

AnyRow = TypeVar("AnyRow")


class PageRequest:
    """The page that a client asks for, of one list as one viewer sees it.

    A list that begins with its oldest rows is the mirror image of all others: a cursor's "older" leads on in
    it, as ever, and so to newer rows.
    """

    def __init__(self, query: PageQuery, *, scope: str, oldest_first: bool = False) -> None:
        self._scope = scope
        self._oldest_first = oldest_first
        self._asked: Cursor | None = query.position(scope=scope)
        self._limit = query.limit

    @property
    def scan(self) -> Scan:
        """Which rows to read."""
        asked = self._asked
        if asked is None:
            return Scan(limit=self._limit, newer=self._oldest_first)
        goes_back = asked.direction == "newer"
        return Scan(limit=self._limit, at=asked.at, id=asked.id, newer=goes_back is not self._oldest_first)

    def in_order(self, rows: Sequence[AnyRow]) -> Sequence[AnyRow]:
        """Put the rows of a page, newest first as they are read, into the order of the list."""
        return rows[::-1] if self._oldest_first else rows

    def response(
        self,
        data: Sequence[object],
        *,
        scanned: Sequence[tuple[datetime, UUID]],
        more: bool,
        more_of_page: Mapping[str, object] | None = None,
    ) -> Response:
        """Answer with what may be shown of the rows read; the cursors are of all that were scanned.

        Both are in the order of the list.
        """
        around = neighbours(scanned, asked=self._asked, more=more)
        return page_response(data, scope=self._scope, around=around, more_of_page=more_of_page)

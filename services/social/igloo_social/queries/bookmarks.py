"""Reads of the posts that a person keeps for later."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, literal_column, select

from igloo_common.statements import Statement
from igloo_social.models.bookmarks import BOOKMARKS
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.posts import LIMIT, POST_COLUMNS, Page, Scan, keyset, page_of
from igloo_social.queries.visibility import POST_IS_VISIBLE, VIEWER

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select

    from igloo_common.database import Reader

LONGEST_SCAN = 101
"""No page reads more bookmarks: the API's largest page, and one to see whether more remain."""


def bookmarks_of(reader: Reader, *, owner_id: UUID, scan: Scan) -> Page[tuple[Any, ...]]:
    """Read the posts that a person keeps, the last kept first.

    Each row holds the time and the id that are its place in the list, then POST_COLUMNS, which are NULL where
    the owner may not see the post any more: a page's cursor is the last bookmark scanned, not shown.
    """
    statement = _bookmarks(newer=scan.newer, bounded=scan.at is not None)
    return page_of(statement.rows(reader, {**scan.parameters(), "viewer_id": owner_id}), scan)


def bookmarks_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest."""
    entry = select(BOOKMARKS.c.created_at.label("kept_at"), BOOKMARKS.c.post_id.label("kept_id")).where(
        BOOKMARKS.c.user_id == VIEWER
    )
    # Limited twice, as the feed is and for its reason: see queries/timeline.py.
    reach = keyset(entry, BOOKMARKS.c.created_at, BOOKMARKS.c.post_id, newer=newer, bounded=bounded)
    reach_limited = reach.limit(None).limit(literal_column(str(LONGEST_SCAN))).subquery("reach")
    scanned = select(reach_limited).limit(LIMIT).subquery("scanned")
    order = (scanned.c.kept_at, scanned.c.kept_id)
    return (
        select(*scanned.c, *POST_COLUMNS)
        .select_from(scanned.outerjoin(_WHOLE_POST, and_(POSTS.c.id == scanned.c.kept_id, POST_IS_VISIBLE)))
        .order_by(*(order if newer else (column.desc() for column in order)))
    )


_WHOLE_POST = POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)


@cache
def _bookmarks(*, newer: bool, bounded: bool) -> Statement:
    return Statement(bookmarks_statement(newer=newer, bounded=bounded))

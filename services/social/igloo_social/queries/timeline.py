"""The home feed: ids by a range of the timeline's key, then everything about them, in one statement."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, literal_column, select

from igloo_common.statements import Statement
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.timeline import TIMELINE
from igloo_social.queries.posts import LIMIT, POST_COLUMNS, Page, Scan, keyset, page_of
from igloo_social.queries.visibility import POST_IS_VISIBLE, VIEWER

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection, Select

LONGEST_SCAN = 101
"""No page reads more entries: the API's largest page, and one to see whether more remain."""


def feed_page(reader: Connection, *, owner_id: UUID, scan: Scan) -> Page[tuple[Any, ...]]:
    """Read a page of a person's feed.

    Each row holds the time and the id that are its place in the timeline, then POST_COLUMNS, which are NULL
    where the owner may not see the post any more: a page's cursor is the last entry scanned, not shown.
    """
    statement = _feed(newer=scan.newer, bounded=scan.at is not None)
    return page_of(statement.rows(reader, {**scan.parameters(), "viewer_id": owner_id}), scan)


def feed_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest."""
    entry = select(TIMELINE.c.published_at.label("entry_at"), TIMELINE.c.post_id.label("entry_id")).where(
        TIMELINE.c.owner_id == VIEWER
    )
    # The limit that is a parameter is unknown to a prepared statement's generic plan, which then guesses a
    # tenth of the feed and joins by reading all posts (measured: 0.1 ms become 200 ms). The constant one
    # inside tells it that there are few; only as many rows as the outer one wants are ever read.
    reach = keyset(entry, TIMELINE.c.published_at, TIMELINE.c.post_id, newer=newer, bounded=bounded)
    reach_limited = reach.limit(None).limit(literal_column(str(LONGEST_SCAN))).subquery("reach")
    scanned = select(reach_limited).limit(LIMIT).subquery("scanned")
    whole_post = POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)
    order = (scanned.c.entry_at, scanned.c.entry_id)
    return (
        select(*scanned.c, *POST_COLUMNS)
        .select_from(scanned.outerjoin(whole_post, and_(POSTS.c.id == scanned.c.entry_id, POST_IS_VISIBLE)))
        .order_by(*(order if newer else (column.desc() for column in order)))
    )


@cache
def _feed(*, newer: bool, bounded: bool) -> Statement:
    return Statement(feed_statement(newer=newer, bounded=bounded))

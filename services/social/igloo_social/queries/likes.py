"""Reads of who likes a post, and of how many they are."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, literal_column, select

from igloo_common.statements import Statement
from igloo_social.models.likes import LIKES
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.posts import LIMIT, POST_ID, Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import POST_IS_VISIBLE, person_is_shown, visible_like_count

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select

    from igloo_common.database import Reader

LONGEST_SCAN = 101
"""No page reads more likes: the API's largest page, and one to see whether more remain."""


def likers_of(reader: Reader, *, post_id: UUID, viewer_id: UUID | None, scan: Scan) -> Page[tuple[Any, ...]]:
    """Read who likes a post, the last first.

    Each row holds the time and the id that are its place in the list, then PERSON_COLUMNS, which are NULL
    where the person is hidden from the viewer. Whether the viewer may see the post is the caller's question.
    """
    statement = _likers(newer=scan.newer, bounded=scan.at is not None)
    return page_of(
        statement.rows(reader, {**scan.parameters(), "post_id": post_id, "viewer_id": viewer_id}), scan
    )


def visible_like_count_of(reader: Reader, *, post_id: UUID, viewer_id: UUID) -> int | None:
    """Count the likes of a post that the viewer could page through; None when they may not see it."""
    row = _COUNT.row(reader, {"post_id": post_id, "viewer_id": viewer_id})
    return None if row is None else row[0]


def likers_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest."""
    entry = select(LIKES.c.created_at.label("liked_at"), LIKES.c.user_id.label("liker_id")).where(
        LIKES.c.post_id == POST_ID
    )
    # Limited twice, as the feed is and for its reason: see queries/timeline.py.
    reach = keyset(entry, LIKES.c.created_at, LIKES.c.user_id, newer=newer, bounded=bounded)
    reach_limited = reach.limit(None).limit(literal_column(str(LONGEST_SCAN))).subquery("reach")
    scanned = select(reach_limited).limit(LIMIT).subquery("scanned")
    shown = and_(PROFILES.c.user_id == scanned.c.liker_id, is_here(), person_is_shown(scanned.c.liker_id))
    order = (scanned.c.liked_at, scanned.c.liker_id)
    return (
        select(*scanned.c, *PERSON_COLUMNS)
        .select_from(scanned.outerjoin(PROFILES, shown))
        .order_by(*(order if newer else (column.desc() for column in order)))
    )


_COUNT = Statement(
    select(visible_like_count())
    .select_from(POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id))
    .where(POSTS.c.id == POST_ID, POST_IS_VISIBLE)
)


@cache
def _likers(*, newer: bool, bounded: bool) -> Statement:
    return Statement(likers_statement(newer=newer, bounded=bounded))

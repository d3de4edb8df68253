"""Lists of posts that filter after the scan: ids along an index first, then what of them may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, literal_column, select

from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.posts import LIMIT, POST_COLUMNS, keyset
from igloo_social.queries.visibility import POST_IS_VISIBLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select

LONGEST_SCAN = 101
"""No page reads more places: the API's largest page, and one to see whether more remain."""


def scanned_posts(
    entries: Select[Any],
    place: tuple[ColumnElement[Any], ColumnElement[Any]],
    *conditions: ColumnElement[bool],
    newer: bool,
    bounded: bool,
) -> Select[Any]:
    """Write the statement of one page of a list whose `entries` are each post's `place`: a time and an id.

    Each row holds the place, then POST_COLUMNS, which are NULL where the viewer may not see the post, or one
    of the conditions forbids it: a page's cursor is the last place scanned, not shown. Limited twice for the
    reason that queries/timeline.py gives.
    """
    reach = keyset(entries, *place, newer=newer, bounded=bounded)
    reach_limited = reach.limit(None).limit(literal_column(str(LONGEST_SCAN))).subquery("reach")
    scanned = select(reach_limited).limit(LIMIT).subquery("scanned")
    at, id_ = scanned.c
    order = (at, id_) if newer else (at.desc(), id_.desc())
    shown = and_(POSTS.c.id == id_, POST_IS_VISIBLE, *conditions)
    return select(at, id_, *POST_COLUMNS).select_from(scanned.outerjoin(_WHOLE_POST, shown)).order_by(*order)


def shown_of(rows: Sequence[tuple[Any, ...]]) -> list[Sequence[Any]]:
    """Take from the rows of a page the posts that may be shown, as POST_COLUMNS."""
    return [post for _, _, *post in rows if post[0] is not None]


def places_of(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, Any]]:
    """Take from the rows of a page all places that were scanned."""
    return [(at, id_) for at, id_, *_ in rows]


_WHOLE_POST = POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)

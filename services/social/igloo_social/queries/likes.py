"""Reads of who likes a post."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from igloo_social.models.likes import LIKES
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.posts import POST_ID, Page, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import person_is_shown

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Row, Select

    from igloo_common.database import Reader


def likers_of(reader: Reader, *, post_id: UUID, viewer_id: UUID | None, scan: Scan) -> Page[Row[Any]]:
    """Read who likes a post, the last first, without the people hidden from the viewer.

    Whether the viewer may see the post at all is the caller's question.
    """
    statement = _likers(newer=scan.newer, bounded=scan.at is not None)
    parameters = {**scan.parameters(), "post_id": post_id, "viewer_id": viewer_id}
    return page_of(reader.execute(statement, parameters).all(), scan)


@cache
def _likers(*, newer: bool, bounded: bool) -> Select[Any]:
    likers = (
        select(LIKES.c.created_at, *PERSON_COLUMNS)
        .join(PROFILES, PROFILES.c.user_id == LIKES.c.user_id)
        .where(
            LIKES.c.post_id == POST_ID,
            is_here(),
            person_is_shown(LIKES.c.user_id),
        )
    )
    return keyset(likers, LIKES.c.created_at, LIKES.c.user_id, newer=newer, bounded=bounded)

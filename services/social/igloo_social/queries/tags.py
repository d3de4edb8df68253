"""The posts on the page of a hashtag, as far as the viewer may see them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from igloo_common.statements import Statement
from igloo_social.models.posts import POST_TAGS, POSTS
from igloo_social.queries.posts import Page, Scan, page_of
from igloo_social.queries.scans import scanned_posts
from igloo_social.queries.visibility import person_is_not_muted

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select

    from igloo_common.database import Reader


def tag_page(reader: Reader, *, tag: str, viewer_id: UUID | None, scan: Scan) -> Page[tuple[Any, ...]]:
    """Read a page of a folded hashtag, the last published first; the rows are as `scanned_posts` says."""
    statement = _tag(newer=scan.newer, bounded=scan.at is not None)
    parameters = {**scan.parameters(), "tag": tag, "viewer_id": viewer_id}
    return page_of(statement.rows(reader, parameters), scan)


def tag_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page."""
    entries = select(POST_TAGS.c.published_at, POST_TAGS.c.post_id).where(
        POST_TAGS.c.tag == bindparam("tag", type_=POST_TAGS.c.tag.type)
    )
    return scanned_posts(
        entries,
        (POST_TAGS.c.published_at, POST_TAGS.c.post_id),
        person_is_not_muted(POSTS.c.author_id),
        newer=newer,
        bounded=bounded,
    )


@cache
def _tag(*, newer: bool, bounded: bool) -> Statement:
    return Statement(tag_statement(newer=newer, bounded=bounded))

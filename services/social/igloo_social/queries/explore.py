"""What is out for everybody, by the place in explore that operations/ranks.py gives to posts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, select

from igloo_common.statements import Statement
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.posts import Page, Scan, page_of
from igloo_social.queries.scans import scanned_posts
from igloo_social.queries.visibility import person_is_not_muted

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Select

    from igloo_common.database import Reader


def explore_page(reader: Reader, *, viewer_id: UUID | None, scan: Scan) -> Page[tuple[Any, ...]]:
    """Read a page of explore; the rows are as `scanned_posts` says."""
    statement = _explore(newer=scan.newer, bounded=scan.at is not None)
    return page_of(statement.rows(reader, {**scan.parameters(), "viewer_id": viewer_id}), scan)


def explore_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page.

    Whether an account is private stands beside the person and not the post, where it may change at any time:
    posts of private accounts are scanned, and then left out, also for their followers.
    """
    ranked = POSTS.alias("ranked")
    entries = select(ranked.c.rank_at, ranked.c.id).where(
        ranked.c.state == literal_column("'published'"),
        ranked.c.visibility == literal_column("'public'"),
        ranked.c.deleted_at.is_(None),
    )
    return scanned_posts(
        entries,
        (ranked.c.rank_at, ranked.c.id),
        ~PROFILES.c.is_private,
        person_is_not_muted(POSTS.c.author_id),
        newer=newer,
        bounded=bounded,
    )


@cache
def _explore(*, newer: bool, bounded: bool) -> Statement:
    return Statement(explore_statement(newer=newer, bounded=bounded))

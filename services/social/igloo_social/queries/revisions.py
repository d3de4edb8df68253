"""How a post read before, as far as who sees it now could have seen it then."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from igloo_common.statements import Statement
from igloo_social.models.relations import RelationType
from igloo_social.policies.posts import may_see_revision
from igloo_social.queries.posts import Page, Scan, page_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from igloo_common.database import Reader


class Revision(NamedTuple):
    """The words of a post from when they were written until others replaced them."""

    number: int
    caption: str
    visibility: str
    written_at: datetime
    replaced_at: datetime

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Its place in the list, in the form that cursors carry: numbers alone decide about the order."""
        return self.replaced_at, UUID(int=self.number)


def revisions_of(reader: Reader, *, post_id: UUID, scan: Scan) -> Page[Revision]:
    """Read a post's revisions, the last replaced first, whoever asks."""
    at = {} if scan.id is None else {"number": scan.id.int & 0x7FFFFFFF}
    statement = _page(newer=scan.newer, bounded=scan.id is not None)
    rows = statement.rows(reader, {"post_id": post_id, "limit": scan.limit + 1, **at})
    return page_of([Revision(*row) for row in rows], scan)


def visible_revisions(
    reader: Reader, revisions: Sequence[Revision], *, author_id: UUID, viewer_id: UUID | None
) -> Sequence[Revision]:
    """Take those that somebody who sees the post could have seen at their time."""
    is_author = viewer_id == author_id
    follows = not is_author and _FOLLOWS.row(reader, {"viewer_id": viewer_id, "author_id": author_id})
    return [
        revision
        for revision in revisions
        if may_see_revision(revision.visibility, is_author=is_author, follows_author=bool(follows))
    ]


@cache
def _page(*, newer: bool, bounded: bool) -> Statement:
    way, order = (">", "ASC") if newer else ("<", "DESC")
    behind = f"AND number {way} %(number)s" if bounded else ""
    return Statement(f"""
    SELECT number, caption, visibility, written_at, replaced_at FROM post_revisions
    WHERE post_id = %(post_id)s {behind} ORDER BY number {order} LIMIT %(limit)s
    """)  # noqa: S608 - words of our own


_FOLLOWS = Statement(f"""
SELECT true FROM relations WHERE from_user = %(viewer_id)s AND relation_type = '{RelationType.FOLLOW}'
    AND to_user = %(author_id)s
""")  # noqa: S608 - words of our own

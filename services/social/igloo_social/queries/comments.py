"""Reads of comments: a page of those under a post, one, and what deleting one needs to know."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, literal_column, select

from igloo_common.errors import NotFound
from igloo_common.statements import Statement
from igloo_social.models.comments import COMMENT_MENTIONS, COMMENTS
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.mentions import visible_mentions
from igloo_social.queries.posts import LIMIT, POST_ID, Page, PostNotFound, Scan, keyset, page_of
from igloo_social.queries.profiles import PERSON_COLUMNS
from igloo_social.queries.visibility import POST_IS_VISIBLE, person_is_shown

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from igloo_common.database import Reader

LONGEST_SCAN = 101
"""No page reads more comments: the API's largest page, and one to see whether more remain."""


class CommentNotFound(NotFound):
    """There is no such comment, or none that this person may know of."""

    def __init__(self) -> None:
        # The same words for all grounds: unknown, deleted, hidden, under a post that they do not see.
        super().__init__("There is no such comment.")


class CommentRow(NamedTuple):
    """A comment with its author, who is NULL where they are hidden from the viewer."""

    created_at: datetime
    id: UUID
    user_id: UUID | None
    username: str
    display_name: str
    avatar_url: str | None
    text: str
    mentions: str | None


class Comments(NamedTuple):
    """A page of the comments under a post, and whose post it is."""

    post_author_id: UUID
    page: Page[CommentRow]


class KnownComment(NamedTuple):
    """A comment, whatever became of it, with its post's author."""

    post_id: UUID
    author_id: UUID
    is_deleted: bool
    is_hidden: bool
    post_author_id: UUID
    post_is_deleted: bool


def comments_of(reader: Reader, *, post_id: UUID, viewer_id: UUID | None, scan: Scan) -> Comments:
    """Read the comments under a post, the newest first.

    Raises:
        PostNotFound: There is no such post for the viewer.
    """
    given = {"post_id": post_id, "viewer_id": viewer_id}
    post = _POST_AUTHOR.send(reader, given)
    statement = _comments(newer=scan.newer, bounded=scan.at is not None)
    rows = statement.rows(reader, {**scan.parameters(), **given})
    authors = post.rows()
    if not authors:
        raise PostNotFound
    return Comments(authors[0][0], page_of([CommentRow(*row) for row in rows], scan))


def comment_as_written(reader: Reader, *, comment_id: UUID, viewer_id: UUID) -> CommentRow:
    """Read a comment that its author has just written."""
    row = _WRITTEN.row(reader, {"comment_id": comment_id, "viewer_id": viewer_id})
    if row is None:
        raise CommentNotFound
    return CommentRow(*row)


def find_comment(reader: Reader, comment_id: UUID) -> KnownComment | None:
    """Find a comment, deleted ones too, whoever asks."""
    row = _KNOWN.row(reader, {"comment_id": comment_id})
    return None if row is None else KnownComment(*row)


def comment_is_visible(reader: Reader, *, comment_id: UUID, viewer_id: UUID) -> bool:
    """Tell whether a person could page to a comment."""
    return bool(_VISIBLE.rows(reader, {"comment_id": comment_id, "viewer_id": viewer_id}))


def comments_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest."""
    entry = select(
        COMMENTS.c.created_at, COMMENTS.c.id, COMMENTS.c.author_id, COMMENTS.c.text, COMMENTS.c.mention_count
    ).where(COMMENTS.c.post_id == POST_ID, *_SHOWN)
    # Limited twice, as the feed is and for its reason: see queries/timeline.py. A page whose every author is
    # hidden is empty and goes on, so that nobody's flood of comments makes it cost more.
    reach = keyset(entry, COMMENTS.c.created_at, COMMENTS.c.id, newer=newer, bounded=bounded)
    reach_limited = reach.limit(None).limit(literal_column(str(LONGEST_SCAN))).subquery("reach")
    scanned = select(reach_limited).limit(LIMIT).subquery("scanned")
    shown = and_(PROFILES.c.user_id == scanned.c.author_id, is_here(), person_is_shown(scanned.c.author_id))
    mentions = visible_mentions(
        COMMENT_MENTIONS, COMMENT_MENTIONS.c.comment_id == scanned.c.id, count=scanned.c.mention_count
    )
    order = (scanned.c.created_at, scanned.c.id)
    return (
        select(*order, *PERSON_COLUMNS, scanned.c.text, mentions.label("mentions"))
        .select_from(scanned.outerjoin(PROFILES, shown))
        .order_by(*(order if newer else (column.desc() for column in order)))
    )


_COMMENT_ID: ColumnElement[UUID] = bindparam("comment_id", type_=Uuid())
_SHOWN = (COMMENTS.c.deleted_at.is_(None), COMMENTS.c.hidden_by.is_(None))
_POST_AND_AUTHOR = POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)
_WRITER = PROFILES.alias("writer")

_POST_AUTHOR = Statement(
    select(POSTS.c.author_id).select_from(_POST_AND_AUTHOR).where(POSTS.c.id == POST_ID, POST_IS_VISIBLE)
)
_WRITTEN = Statement(
    select(
        COMMENTS.c.created_at,
        COMMENTS.c.id,
        *PERSON_COLUMNS,
        COMMENTS.c.text,
        visible_mentions(
            COMMENT_MENTIONS, COMMENT_MENTIONS.c.comment_id == COMMENTS.c.id, count=COMMENTS.c.mention_count
        ),
    )
    .join(PROFILES, PROFILES.c.user_id == COMMENTS.c.author_id)
    .where(COMMENTS.c.id == _COMMENT_ID)
)
_KNOWN = Statement(
    select(
        COMMENTS.c.post_id,
        COMMENTS.c.author_id,
        COMMENTS.c.deleted_at.is_not(None),
        COMMENTS.c.hidden_by.is_not(None),
        POSTS.c.author_id,
        POSTS.c.deleted_at.is_not(None),
    )
    .join(POSTS, POSTS.c.id == COMMENTS.c.post_id)
    .where(COMMENTS.c.id == _COMMENT_ID)
)
_VISIBLE = Statement(
    select(literal_column("1"))
    .select_from(
        COMMENTS.join(POSTS, POSTS.c.id == COMMENTS.c.post_id)
        .join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)
        .join(_WRITER, _WRITER.c.user_id == COMMENTS.c.author_id)
    )
    .where(
        COMMENTS.c.id == _COMMENT_ID,
        *_SHOWN,
        POST_IS_VISIBLE,
        is_here(_WRITER),
        person_is_shown(COMMENTS.c.author_id),
    )
)


@cache
def _comments(*, newer: bool, bounded: bool) -> Statement:
    return Statement(comments_statement(newer=newer, bounded=bounded))

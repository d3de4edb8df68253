"""Reads of posts: one as a viewer sees it, one person's, and what likes and edits need to know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Row,
    Text,
    Uuid,
    bindparam,
    cast,
    select,
    tuple_,
)

from igloo_common.errors import NotFound
from igloo_common.statements import Statement
from igloo_social.models.bookmarks import BOOKMARKS
from igloo_social.models.likes import LIKES
from igloo_social.models.posts import POST_MENTIONS, POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.mentions import visible_mentions
from igloo_social.queries.visibility import (
    POST_IS_VISIBLE,
    VIEWER,
    probe,
    visible_comment_count,
    visible_like_count,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select

    from igloo_common.database import Reader


class PostNotFound(NotFound):
    """There is no such post, or none that this person may know of."""

    def __init__(self) -> None:
        # The same words for all grounds: unknown, deleted, not for this viewer's eyes, blocked.
        super().__init__("There is no such post.")


AnyRow = TypeVar("AnyRow")


class PostView(NamedTuple):
    """A post as a viewer sees it: what POST_COLUMNS read, by name."""

    id: UUID
    author_id: UUID
    username: str
    display_name: str
    avatar_url: str | None
    caption: str
    visibility: str
    state: str
    failure_code: str | None
    failure_detail: str | None
    images: str
    like_count: int
    comment_count: int
    comments_open: bool
    liked: bool
    bookmarked: bool
    tags: Sequence[str]
    mentions: str | None
    created_at: datetime
    published_at: datetime | None
    edited_at: datetime | None
    version: int


POST_COLUMNS: tuple[ColumnElement[Any], ...] = (
    POSTS.c.id,
    POSTS.c.author_id,
    PROFILES.c.username,
    PROFILES.c.display_name,
    PROFILES.c.avatar_url,
    POSTS.c.caption,
    POSTS.c.visibility,
    POSTS.c.state,
    POSTS.c.failure_code,
    POSTS.c.failure_detail,
    # As text: most images have been presented before, and are not even parsed then.
    cast(POSTS.c.images, Text).label("images"),
    visible_like_count().label("like_count"),
    visible_comment_count().label("comment_count"),
    POSTS.c.comments_open,
    probe(LIKES, LIKES.c.post_id == POSTS.c.id, LIKES.c.user_id == VIEWER).label("liked"),
    probe(BOOKMARKS, BOOKMARKS.c.post_id == POSTS.c.id, BOOKMARKS.c.user_id == VIEWER).label("bookmarked"),
    POSTS.c.tags,
    visible_mentions(POST_MENTIONS, POST_MENTIONS.c.post_id == POSTS.c.id, count=POSTS.c.mention_count).label(
        "mentions"
    ),
    POSTS.c.created_at,
    POSTS.c.published_at,
    POSTS.c.edited_at,
    POSTS.c.version,
)
"""What a reader sees of a post with its author; the statement joins `posts` and `profiles`."""

POST_ID: ColumnElement[UUID] = bindparam("post_id", type_=Uuid())
LIMIT: ColumnElement[int] = bindparam("limit", type_=Integer())
PLACE = tuple_(bindparam("at", type_=DateTime(timezone=True)), bindparam("id", type_=Uuid()))
"""The row that a page starts behind, given as the parameters `at` and `id`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """Which page to read: how many rows, behind which place, in which direction."""

    limit: int
    at: datetime | None = None
    id: UUID | None = None
    newer: bool = False

    def parameters(self) -> dict[str, object]:
        """Give the values of LIMIT, one more than asked so as to know whether rows remain, and of PLACE."""
        limit: dict[str, object] = {"limit": self.limit + 1}
        return limit if self.at is None else {**limit, "at": self.at, "id": self.id}


@dataclass(frozen=True, slots=True)
class Page(Generic[AnyRow]):
    """The rows read, newest first, and whether more remain in the direction that was read."""

    rows: Sequence[AnyRow]
    more: bool


def page_of(rows: Sequence[AnyRow], scan: Scan) -> Page[AnyRow]:
    """Cut what a scan has read to what was asked for, newest first."""
    more, rows = len(rows) > scan.limit, rows[: scan.limit]
    return Page(rows[::-1] if scan.newer else rows, more)


def find_post(reader: Reader, *, post_id: UUID, viewer_id: UUID | None) -> PostView | None:
    """Find a post that the viewer may see."""
    row = _ONE.row(reader, {"post_id": post_id, "viewer_id": viewer_id})
    return None if row is None else PostView(*row)


def visible_post(reader: Reader, *, post_id: UUID, viewer_id: UUID | None) -> PostView:
    """Find a post that the viewer may see.

    Raises:
        PostNotFound: There is none.
    """
    post = find_post(reader, post_id=post_id, viewer_id=viewer_id)
    if post is None:
        raise PostNotFound
    return post


def posts_of(reader: Reader, *, author_id: UUID, viewer_id: UUID | None, scan: Scan) -> Page[Row[Any]]:
    """Read a person's posts as far as the viewer may see them, the last made first."""
    statement = posts_of_statement(newer=scan.newer, bounded=scan.at is not None)
    parameters = {**scan.parameters(), "author_id": author_id, "viewer_id": viewer_id}
    return page_of(reader.execute(statement, parameters).all(), scan)


def lock_own_post(reader: Reader, *, post_id: UUID, author_id: UUID) -> Row[Any] | None:
    """Lock a post of this author until the transaction ends, a tombstone included."""
    return reader.execute(_LOCK_OWN, {"post_id": post_id, "author_id": author_id}).one_or_none()


_WITH_AUTHOR = POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)
_AUTHOR_ID: ColumnElement[UUID] = bindparam("author_id", type_=Uuid())

# Built once: SQLAlchemy then finds their compiled form without walking the expression again.
_ONE = Statement(
    select(*POST_COLUMNS).select_from(_WITH_AUTHOR).where(POSTS.c.id == POST_ID, POST_IS_VISIBLE)
)
_LOCK_OWN = (
    select(POSTS)
    .where(POSTS.c.id == POST_ID, POSTS.c.author_id == _AUTHOR_ID)
    .with_for_update(key_share=True)
)


@cache
def posts_of_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest."""
    page = (
        select(*POST_COLUMNS)
        .select_from(_WITH_AUTHOR)
        .where(POSTS.c.author_id == _AUTHOR_ID, POST_IS_VISIBLE)
    )
    return keyset(page, POSTS.c.created_at, POSTS.c.id, newer=newer, bounded=bounded)


def keyset(
    statement: Select[Any], at: ColumnElement[Any], id_: ColumnElement[Any], *, newer: bool, bounded: bool
) -> Select[Any]:
    """Order a statement along its index, from PLACE on when it is bounded, for LIMIT rows."""
    if bounded:
        row = tuple_(at, id_)
        statement = statement.where(row > PLACE if newer else row < PLACE)
    order = (at.asc(), id_.asc()) if newer else (at.desc(), id_.desc())
    return statement.order_by(*order).limit(LIMIT)

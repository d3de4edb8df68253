"""The home feed: ids by ranges of indexes, then everything about them, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, literal_column, select, true, union

from igloo_common.statements import Statement
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS
from igloo_social.models.timeline import TIMELINE
from igloo_social.queries.posts import LIMIT, POST_COLUMNS, Page, Scan, keyset, page_of
from igloo_social.queries.visibility import POST_IS_VISIBLE, VIEWER, person_is_not_muted

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table

LONGEST_SCAN = 101
"""No page reads more entries: the API's largest page, and one to see whether more remain."""

# In the words of the index that lists them.
_IS_LISTED: ColumnElement[bool] = and_(
    POSTS.c.state == literal_column("'published'"),
    POSTS.c.visibility != literal_column("'private'"),
    POSTS.c.deleted_at.is_(None),
)


def feed_page(reader: Connection, *, owner_id: UUID, scan: Scan) -> Page[tuple[Any, ...]]:
    """Read a page of a person's feed.

    Each row holds the time and the id that are its place in the feed, then POST_COLUMNS, which are NULL
    where the owner may not see the post any more, or mutes its author: a page's cursor is the last entry
    scanned, not shown.
    """
    statement = _feed(newer=scan.newer, bounded=scan.at is not None)
    return page_of(statement.rows(reader, {**scan.parameters(), "viewer_id": owner_id}), scan)


def feed_statement(*, newer: bool, bounded: bool) -> Select[Any]:
    """Write the statement of one page: `bounded` by the place that a cursor names, or the newest.

    It reads what was written to the feed and what is merged into it; an entry that comes from both is one.
    """
    way = _Way(newer=newer, bounded=bounded)
    entry = union(_written(way), _merged(way)).subquery("entry")
    scanned = select(entry).order_by(*way.order(entry)).limit(LIMIT).subquery("scanned")
    whole_post = POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id)
    is_shown = and_(POSTS.c.id == scanned.c.entry_id, POST_IS_VISIBLE, person_is_not_muted(POSTS.c.author_id))
    return (
        select(*scanned.c, *POST_COLUMNS)
        .select_from(scanned.outerjoin(whole_post, is_shown))
        .order_by(*way.order(scanned))
    )


@dataclass(frozen=True, kw_only=True)
class _Way:
    """From where on, and in which direction, a page is read."""

    newer: bool
    bounded: bool

    def order(self, entry: FromClause) -> tuple[ColumnElement[Any], ...]:
        """Name the order of a page's entries."""
        columns = (entry.c.entry_at, entry.c.entry_id)
        return columns if self.newer else tuple(column.desc() for column in columns)

    def page(self, table: Table, id_: ColumnElement[UUID], *conditions: ColumnElement[bool]) -> Select[Any]:
        """Read the places of a table's entries along its index, LIMIT of them.

        The limit that is a parameter is unknown to a prepared statement's generic plan, which then guesses a
        tenth of the feed and joins by reading all posts (measured: 0.1 ms become 200 ms). The constant one
        inside tells it that there are few; only as many rows as the outer one wants are ever read.
        """
        at = table.c.published_at
        entries = select(at.label("entry_at"), id_.label("entry_id")).where(*conditions)
        entries = entries.correlate_except(table)
        return _few(keyset(entries, at, id_, newer=self.newer, bounded=self.bounded).limit(None))


def _few(rows: Select[Any]) -> Select[Any]:
    reach = rows.limit(literal_column(str(LONGEST_SCAN))).lateral()
    return select(reach).limit(LIMIT)


def _written(way: _Way) -> Select[Any]:
    return way.page(TIMELINE, TIMELINE.c.post_id, TIMELINE.c.owner_id == VIEWER)


def _merged(way: _Way) -> Select[Any]:
    """Read the posts of the followees whose posts are not written to feeds.

    A page of n posts holds none but of the n people who have the first posts from its place on. So one look
    into the index for each followee finds these people, and nothing more is read of all the others.
    """
    followee = RELATIONS.alias("followee")
    first = (
        way.page(POSTS, POSTS.c.id, POSTS.c.author_id == followee.c.to_user, _IS_LISTED)
        .limit(literal_column("1"))
        .lateral("first")
    )
    people = (
        select(followee.c.to_user)
        .select_from(followee.join(first, true()))
        .where(followee.c.from_user == VIEWER, followee.c.is_merged)
        .order_by(*way.order(first))
    )
    person = _few(people).subquery("person")
    theirs = way.page(POSTS, POSTS.c.id, POSTS.c.author_id == person.c.to_user, _IS_LISTED)
    of_each = theirs.lateral("theirs")
    return select(of_each).select_from(person.join(of_each, true()))


@cache
def _feed(*, newer: bool, bounded: bool) -> Statement:
    return Statement(feed_statement(newer=newer, bounded=bounded))

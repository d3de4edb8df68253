"""What a phone that keeps a feed has to look at again, and what holds of it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, and_, bindparam, func, literal_column, or_, select

from igloo_common.statements import Statement
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS
from igloo_social.models.timeline import TIMELINE, ChangeKind
from igloo_social.policies.feed_changes import EVERYBODY
from igloo_social.queries.posts import POST_COLUMNS
from igloo_social.queries.visibility import (
    POST_IS_VISIBLE,
    VIEWER,
    person_is_not_muted,
    person_is_shown,
    probe,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from igloo_common.database import Reader


# Comes first, as every change lies behind the place from which on changes are read.
_EXPIRED: Final = "e"


class Change(NamedTuple):
    """Something to be looked at again, at its place in time."""

    at: datetime
    id: UUID
    kind: str
    published_before: datetime | None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What holds now of what a range of changes names."""

    scanned: Sequence[Change]
    more: bool
    is_expired: bool
    """The database was brought back to an earlier time since the token was given."""
    posts: Sequence[Sequence[Any]]
    removed_post_ids: Sequence[UUID]
    removed_author_ids: Sequence[UUID]
    gap_before: datetime | None
    """Posts from before this time may have come into the feed, or left it, that nothing names."""


def feed_changes(
    reader: Reader,
    *,
    owner_id: UUID,
    given_at: datetime,
    after: tuple[datetime, UUID],
    until: datetime,
    limit: int,
) -> Changes:
    """Read some of the changes behind a place, in the order of time, and then how things stand.

    What stands is read after the changes are: whatever happens in between leaves a later change.
    """
    place = {"at": after[0], "id": after[1], "until": until, "given_at": given_at, "limit": limit + 1}
    rows = [Change(*row) for row in CHANGES.rows(reader, {**place, "viewer_id": owner_id})]
    scanned = rows[:limit]
    posts = _posts_in_feed(reader, owner_id, {row.id for row in scanned if row.kind == ChangeKind.POST})
    back = _authors_in_feed(reader, owner_id, {row.id for row in scanned if row.kind == ChangeKind.AUTHOR})
    return Changes(
        scanned=scanned,
        more=len(rows) > limit,
        is_expired=any(row.kind == _EXPIRED for row in rows[:1]),
        posts=[post for post in posts.values() if post is not None],
        removed_post_ids=[post_id for post_id, post in posts.items() if post is None],
        removed_author_ids=[author_id for author_id, is_back in back.items() if not is_back],
        gap_before=max(
            (row.published_before for row in scanned if row.published_before and back.get(row.id)),
            default=None,
        ),
    )


def _posts_in_feed(
    reader: Reader, owner_id: UUID, post_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[Any] | None]:
    if not post_ids:
        return {}
    rows = POSTS_IN_FEED.rows(reader, {"viewer_id": owner_id, "ids": sorted(post_ids)})
    return {post_id: None if post[0] is None else post for post_id, *post in rows}


def _authors_in_feed(reader: Reader, owner_id: UUID, author_ids: Collection[UUID]) -> Mapping[UUID, bool]:
    if not author_ids:
        return {}
    rows = AUTHORS_IN_FEED.rows(reader, {"viewer_id": owner_id, "ids": sorted(author_ids)})
    followed = {user_id for (user_id,) in rows}
    return {author_id: author_id in followed for author_id in sorted(author_ids)}


def _place(at: str, id_: str) -> str:
    """Write a range along an index, in its order; the table's columns for the time and the id are given."""
    return f"({at}, {id_}) > (%(at)s, %(id)s) AND {at} <= %(until)s ORDER BY {at}, {id_}"


def _of_merged(table: str, at: str, id_: str, condition: str) -> str:
    """Write a range of what the followees whose posts are merged have, the nearest first.

    As in queries/timeline.py: a page holds nothing but of as many people as it has entries, who are found by
    one look into the index for each followee.
    """
    theirs = f"SELECT {at} AS at, {id_} AS id FROM {table} WHERE {condition} AND {_place(at, id_)}"  # noqa: S608 - words of our own
    return f"""
    SELECT theirs.at, theirs.id, 'p', NULL::timestamptz FROM (
        SELECT to_user AS user_id FROM (
            SELECT to_user FROM relations, LATERAL (
                {theirs.replace("person.user_id", "to_user")} LIMIT 1
            ) AS first
            WHERE from_user = %(viewer_id)s AND is_merged ORDER BY first.at, first.id LIMIT 101
        ) AS nearest LIMIT %(limit)s
    ) AS person, LATERAL (SELECT * FROM ({theirs} LIMIT 101) AS few LIMIT %(limit)s) AS theirs
    """  # noqa: S608 - as above


# Constant limits inside tell the plan of a prepared statement that there are few, as in queries/timeline.py.
CHANGES = Statement(
    f"""
SELECT at, id, kind, published_before FROM (
    (SELECT %(at)s::timestamptz AS at, %(id)s::uuid AS id, '{_EXPIRED}' AS kind,
        NULL::timestamptz AS published_before
    WHERE EXISTS (
        SELECT FROM feed_changes WHERE owner_id = '{EVERYBODY}' AND changed_at > %(given_at)s
    ))
    UNION ALL
    (SELECT * FROM (
        SELECT published_at AS at, post_id AS id, 'p' AS kind, NULL::timestamptz AS published_before
        FROM timeline WHERE owner_id = %(viewer_id)s AND {_place("published_at", "post_id")} LIMIT 101
    ) AS written LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM (
        SELECT changed_at, subject_id, kind, published_before
        FROM feed_changes WHERE owner_id = %(viewer_id)s AND {_place("changed_at", "subject_id")} LIMIT 101
    ) AS noted LIMIT %(limit)s)
    UNION ALL
    ({
        _of_merged(
            "posts",
            "published_at",
            "posts.id",
            "author_id = person.user_id AND state = 'published' AND visibility <> 'private'"
            " AND deleted_at IS NULL",
        )
    })
    UNION ALL
    ({_of_merged("post_changes", "changed_at", "post_id", "author_id = person.user_id")})
) AS change ORDER BY at, id LIMIT %(limit)s
"""  # noqa: S608 - as above
)

_IDS = func.unnest(bindparam("ids", type_=ARRAY(Uuid()))).table_valued("id", name="wanted").render_derived()


def _follow(author: ColumnElement[UUID]) -> ColumnElement[bool]:
    follow = RELATIONS.alias("feeding")
    return probe(
        follow,
        follow.c.from_user == VIEWER,
        follow.c.relation_type == literal_column("'f'"),
        follow.c.to_user == author,
    )


def _is_in_feed() -> ColumnElement[bool]:
    written = probe(
        TIMELINE,
        TIMELINE.c.owner_id == VIEWER,
        TIMELINE.c.published_at == POSTS.c.published_at,
        TIMELINE.c.post_id == POSTS.c.id,
    )
    merged = RELATIONS.alias("merged")
    is_merged = probe(
        merged, merged.c.from_user == VIEWER, merged.c.to_user == POSTS.c.author_id, merged.c.is_merged
    )
    is_own = POSTS.c.author_id == VIEWER
    return or_(is_merged, and_(or_(is_own, _follow(POSTS.c.author_id)), written))


POSTS_IN_FEED = Statement(
    select(_IDS.c.id, *POST_COLUMNS).select_from(
        _IDS.outerjoin(
            POSTS.join(PROFILES, PROFILES.c.user_id == POSTS.c.author_id),
            and_(
                POSTS.c.id == _IDS.c.id,
                POST_IS_VISIBLE,
                person_is_not_muted(POSTS.c.author_id),
                _is_in_feed(),
            ),
        )
    )
)
AUTHORS_IN_FEED = Statement(
    select(PROFILES.c.user_id)
    .select_from(_IDS.join(PROFILES, PROFILES.c.user_id == _IDS.c.id))
    .where(
        is_here(),
        person_is_shown(PROFILES.c.user_id),
        person_is_not_muted(PROFILES.c.user_id),
        _follow(PROFILES.c.user_id),
    )
)

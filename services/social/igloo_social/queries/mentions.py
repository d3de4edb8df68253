"""Whom a text names: as far as the viewer may meet them, and as far as they may see it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from igloo_common.statements import Statement
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.visibility import person_is_shown, probe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Table

    from igloo_common.database import Reader


def visible_mentions(
    mentions: Table, of_this_text: ColumnElement[bool], *, count: ColumnElement[int]
) -> ColumnElement[str | None]:
    """Read a text's mentions as JSON of MentionSchema; NULL where there are none, which costs nothing.

    `count` is how many there are, stored beside the text. Of `mentions`, only the text's own column is
    correlated: the statement that asks may join `profiles` itself.
    """
    people = PROFILES.alias("mentioned")
    mention = func.json_build_object(
        literal_column("'user_id'"),
        mentions.c.user_id,
        literal_column("'username'"),
        mentions.c.username,
    )
    in_order = func.json_agg(aggregate_order_by(mention, mentions.c.username))
    named = (
        select(cast(in_order, Text))
        .where(
            of_this_text,
            probe(people, people.c.user_id == mentions.c.user_id, is_here(people)),
            person_is_shown(mentions.c.user_id),
        )
        .correlate_except(mentions)
        .scalar_subquery()
    )
    column: ColumnElement[Any] = case((count > literal_column("0"), named))
    return column


def mentioned_in_post(reader: Reader, post_id: UUID) -> Sequence[UUID]:
    """List whom a post's caption mentions."""
    return [user_id for (user_id,) in _MENTIONED.rows(reader, {"post_id": post_id})]


def those_who_see(reader: Reader, *, post_id: UUID, user_ids: Sequence[UUID]) -> Sequence[UUID]:
    """List, in the order of their ids, those of these people who may see a post that is out.

    POST_IS_VISIBLE asked for several viewers at once; the author is not asked for.
    """
    rows = _WHO_SEE.rows(reader, {"post_id": post_id, "user_ids": list(user_ids)})
    return [user_id for (user_id,) in rows]


_MENTIONED = Statement("SELECT user_id FROM post_mentions WHERE post_id = %(post_id)s ORDER BY user_id")
_WHO_SEE = Statement("""
SELECT person.user_id
FROM posts
JOIN profiles author ON author.user_id = posts.author_id
JOIN profiles person ON person.user_id = ANY(%(user_ids)s)
WHERE posts.id = %(post_id)s AND posts.state = 'published' AND posts.deleted_at IS NULL
    AND author.deleted_at IS NULL AND author.suspended_at IS NULL
    AND person.deleted_at IS NULL AND person.suspended_at IS NULL
    AND NOT EXISTS (SELECT FROM relations WHERE relation_type = 'b'
        AND from_user = person.user_id AND to_user = author.user_id)
    AND NOT EXISTS (SELECT FROM relations WHERE relation_type = 'b'
        AND from_user = author.user_id AND to_user = person.user_id)
    AND (
        person.user_id = author.user_id
        OR posts.visibility = 'public' AND NOT author.is_private
        OR posts.visibility <> 'private' AND EXISTS (SELECT FROM relations WHERE relation_type = 'f'
            AND from_user = person.user_id AND to_user = author.user_id)
    )
ORDER BY person.user_id
""")

"""Whom a text names, as far as the viewer may meet them: one column, for reads of posts and of comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, case, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.queries.visibility import person_is_shown, probe

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table


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

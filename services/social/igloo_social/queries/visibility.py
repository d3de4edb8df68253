"""Which posts a viewer may see: one predicate, which every read of posts carries."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    union,
)

from igloo_social.models.account_tasks import ACCOUNT_TASKS
from igloo_social.models.comments import COMMENTS
from igloo_social.models.likes import LIKES
from igloo_social.models.posts import POSTS, PostState, Visibility
from igloo_social.models.profiles import PROFILES, is_here
from igloo_social.models.relations import RELATIONS, RelationType, is_in_force

VIEWER: ColumnElement[UUID] = bindparam("viewer_id", type_=Uuid())
"""Who looks, given as the parameter `viewer_id` when a statement is run; NULL is an anonymous viewer."""


def _word(value: str) -> ColumnElement[str]:
    """Write one of our own words into the statement, so that the planner knows how common it is."""
    return literal_column(f"'{value}'")


_FEW_ROWS: Final = 100
"""Likes, or comments, of one post that are quickly walked through."""


def _hidden_people() -> CTE:
    blocked, blocking = RELATIONS.alias("blocked"), RELATIONS.alias("blocking")
    return union(  # Not UNION ALL: two who block each other are one hidden person, counted once.
        select(blocked.c.to_user.label("user_id")).where(
            blocked.c.from_user == VIEWER, blocked.c.relation_type == _word(RelationType.BLOCK)
        ),
        select(blocking.c.from_user).where(
            blocking.c.to_user == VIEWER, blocking.c.relation_type == _word(RelationType.BLOCK)
        ),
        select(ACCOUNT_TASKS.c.account_id).where(
            ACCOUNT_TASKS.c.due_at.is_not(None),
            literal_column("account_tasks.kind IN ('erasure', 'suspension')", Boolean()),
        ),
    ).cte("hidden_people")


HIDDEN_PEOPLE = _hidden_people()
"""The people from whom a block parts the viewer, either way, and those who are on their way out just now.

Read once a statement, however many rows ask. The deleted and the suspended are hidden by `is_here` wherever
they would show; here they are for the counts, which their erasure or suspension has yet to reach.
"""


def _muted_people() -> CTE:
    mute = RELATIONS.alias("mute")
    return (
        select(mute.c.to_user.label("user_id"))
        .where(
            mute.c.from_user == VIEWER,
            mute.c.relation_type == _word(RelationType.MUTE),
            is_in_force(mute),
        )
        .cte("muted_people")
    )


MUTED_PEOPLE = _muted_people()
"""Whom the viewer mutes now: left out of what the viewer did not ask for, as are the feed and explore."""


def probe(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Ask an index whether a row is there, once for each row of the statement that asks.

    EXISTS would say the same, and let PostgreSQL answer by reading, say, all that the viewer has ever liked
    into a hash table: right on average, and slow for the busiest people.
    """
    found: Select[Any] = (
        select(literal_column("true")).select_from(table).where(*conditions).correlate_except(table)
    )
    return found.limit(literal_column("1")).scalar_subquery().is_not(None)


def _follows_author() -> ColumnElement[bool]:
    follow = RELATIONS.alias("follow")
    return probe(
        follow,
        follow.c.from_user == VIEWER,
        follow.c.relation_type == _word(RelationType.FOLLOW),
        follow.c.to_user == POSTS.c.author_id,
    )


def person_is_shown(user_column: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Hold where the person in a column that is never NULL is none of the hidden."""
    return user_column.not_in(select(HIDDEN_PEOPLE.c.user_id))


def person_is_not_muted(user_column: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Hold where the viewer does not mute the person in a column that is never NULL."""
    return user_column.not_in(select(MUTED_PEOPLE.c.user_id))


def _visible() -> ColumnElement[bool]:
    shown_to_others = and_(
        POSTS.c.state == _word(PostState.PUBLISHED),
        person_is_shown(POSTS.c.author_id),
        or_(
            and_(POSTS.c.visibility == _word(Visibility.PUBLIC), ~PROFILES.c.is_private),
            and_(POSTS.c.visibility != _word(Visibility.PRIVATE), _follows_author()),
        ),
    )
    return and_(
        POSTS.c.deleted_at.is_(None),
        is_here(),
        or_(POSTS.c.author_id == VIEWER, shown_to_others),
    )


POST_IS_VISIBLE = _visible()
"""Hold where the viewer may see a post; the statement joins `posts` with its author in `profiles`.

The author sees it in any state. Others see it published, with no block between, when it and the account are
public, or when they follow and it is not private. On which ground it is hidden is never told.
"""


def visible_like_count() -> ColumnElement[int]:
    """Count a post's likes less those by people hidden from the viewer, so that it agrees with the list.

    LIMIT keeps PostgreSQL from walking all likes of the post.
    """
    like, found = LIKES.alias("hidden_like"), LIKES.alias("like_found")
    one = (
        select(literal_column("1").label("one"))
        .where(like.c.post_id == POSTS.c.id, like.c.user_id == HIDDEN_PEOPLE.c.user_id)
        .limit(literal_column("1"))
        .correlate(POSTS, HIDDEN_PEOPLE)
        .lateral("one_like")
    )
    by_person = (
        select(func.count()).select_from(HIDDEN_PEOPLE.join(one, literal_column("true"))).correlate(POSTS)
    )
    likers = select(found.c.user_id).where(found.c.post_id == POSTS.c.id)
    return POSTS.c.like_count - _from_the_fewer(POSTS.c.like_count, likers, by_person)


def visible_comment_count() -> ColumnElement[int]:
    """Count a post's comments less those by people hidden from the viewer, likewise."""
    comment, found = COMMENTS.alias("hidden_comment"), COMMENTS.alias("comment_found")
    hidden = (
        select(func.count())
        .where(comment.c.author_id == HIDDEN_PEOPLE.c.user_id, *_shown_under_post(comment))
        .correlate(POSTS, HIDDEN_PEOPLE)
        .scalar_subquery()
    )
    total = func.coalesce(func.sum(hidden), literal_column("0"))
    by_person = select(cast(total, Integer)).select_from(HIDDEN_PEOPLE).correlate(POSTS)
    writers = select(found.c.author_id.label("user_id")).where(*_shown_under_post(found))
    return POSTS.c.comment_count - _from_the_fewer(POSTS.c.comment_count, writers, by_person)


def _shown_under_post(comment: FromClause) -> tuple[ColumnElement[bool], ...]:
    return (
        comment.c.post_id == POSTS.c.id,
        comment.c.deleted_at.is_(None),
        comment.c.hidden_by.is_(None),
    )


def _from_the_fewer(
    stored: ColumnElement[int], people: Select[tuple[UUID]], by_person: Select[tuple[int]]
) -> ColumnElement[int]:
    """Count along a post's few rows or along the hidden people, whichever are fewer: mostly nobody is hidden.

    Thousands block a spammer, whose pages would ask thousands of times for each post that three people like.
    """
    everybody = select(func.count()).select_from(HIDDEN_PEOPLE).scalar_subquery()
    few: ColumnElement[int] = literal_column(str(_FEW_ROWS))
    # In order and limited, PostgreSQL does not take a post for an average one and read all posts' rows.
    found = people.order_by(literal_column("1")).limit(few).correlate(POSTS).lateral("found")
    # As a filter, for which the hidden are hashed once a statement; as a condition, it would be once a post.
    is_hidden = found.c.user_id.in_(select(HIDDEN_PEOPLE.c.user_id))
    by_row = select(func.count().filter(is_hidden)).select_from(found).correlate(POSTS)
    # Neither where a list has no post to show: there is no number of rows then.
    return case(
        (stored >= func.least(everybody, few), by_person.scalar_subquery()),
        (stored < few, by_row.scalar_subquery()),
    )

"""A post's place in explore: when it came out, moved up by six hours for every doubling of engagement.

`rank_at = published_at + 6 h * floor(log2(1 + likes + 2 * comments))`, in whole numbers throughout. Most
likes leave it as it is, and PostgreSQL then leaves the indexes alone: whoever changes a count sets it in the
same UPDATE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, literal_column, update

from igloo_common.statements import Statement
from igloo_social.models.posts import POSTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any
    from uuid import UUID

    from sqlalchemy import Column, ColumnElement, Select
    from sqlalchemy.orm import Session

_STEP: Final = "interval '6 hours'"
_DOUBLINGS: Final = "'{" + ",".join(str(2**power) for power in range(1, 33)) + "}'::bigint[]"


def ranked(*, likes: str = "like_count", comments: str = "comment_count", since: str = "published_at") -> str:
    """Write the value of `rank_at` for an UPDATE of `posts` in SQL, given the new counts in SQL.

    It is NULL for a post that is not out.
    """
    engagement = f"1::bigint + ({likes}) + 2::bigint * ({comments})"
    return f"({since} + {_STEP} * width_bucket({engagement}, {_DOUBLINGS}))"


def rank_at(
    *,
    likes: ColumnElement[Any] | None = None,
    comments: ColumnElement[Any] | None = None,
) -> ColumnElement[Any]:
    """Write the same for an UPDATE made with SQLAlchemy; a count that is left out stays as it is."""
    likes = POSTS.c.like_count if likes is None else likes
    comments = POSTS.c.comment_count if comments is None else comments
    engagement: ColumnElement[Any] = (
        literal_column("1::bigint") + likes + literal_column("2::bigint") * comments
    )
    doublings = func.width_bucket(engagement, literal_column(_DOUBLINGS))
    return POSTS.c.published_at + literal_column(_STEP) * doublings


def rerank(session: Session, post_ids: Sequence[UUID]) -> None:
    """Put the places of posts right whose counts were just counted anew. Needs the posts' locks."""
    _RERANK.run(session, {"post_ids": list(post_ids)})


def recount(
    session: Session, post_ids: Sequence[UUID], *, stored: Column[int], rows: Select[tuple[int]]
) -> list[UUID]:
    """Count what these posts have anew, in one of their counts; return those whose stored counts were wrong.

    `rows` counts it for one post, as POSTS. Needs the posts' locks.
    """
    counted = rows.correlate(POSTS).scalar_subquery()
    wrong = session.scalars(
        update(POSTS)
        .where(POSTS.c.id.in_(post_ids), stored != counted)
        .values({stored: counted})
        .returning(POSTS.c.id)
    ).all()
    if wrong:
        rerank(session, wrong)
    return list(wrong)


_RERANK = Statement(f"""
UPDATE posts SET rank_at = {ranked()}
WHERE id = ANY(%(post_ids)s) AND rank_at IS DISTINCT FROM {ranked()}
""")  # noqa: S608 - words of our own

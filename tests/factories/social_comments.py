"""Comments of the social service, written straight into its tables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text

from factories.social_people import LONG_AGO, make_people
from factories.social_posts import make_post
from igloo_common.ids import new_id
from igloo_social.models.comments import COMMENT_MENTIONS, COMMENTS

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

_COUNT = text("UPDATE posts SET comment_count = comment_count + 1 WHERE id = :id")


def comment(
    session: Session,
    author_id: UUID,
    post_id: UUID,
    *,
    at: datetime = LONG_AGO,
    **columns: Any,  # noqa: ANN401 - any columns of the table
) -> UUID:
    """Insert a comment, count it if it is shown, and return its id."""
    comment_id: UUID = columns.pop("id", None) or new_id()
    values = {
        "id": comment_id,
        "post_id": post_id,
        "author_id": author_id,
        "text": "Cold",
        "created_at": at,
        **columns,
    }
    session.execute(insert(COMMENTS).values(values))
    if not values.get("deleted_at") and not values.get("hidden_by"):
        session.execute(_COUNT, {"id": post_id})
    return comment_id


def mention(session: Session, comment_id: UUID, user_id: UUID, username: str) -> None:
    """Have a comment mention a person, and count it."""
    session.execute(
        insert(COMMENT_MENTIONS).values(comment_id=comment_id, user_id=user_id, username=username)
    )
    session.execute(
        text("UPDATE comments SET mention_count = mention_count + 1 WHERE id = :id"), {"id": comment_id}
    )


def add_comment_noise(session: Session) -> None:
    """Add strangers who comment on each other's posts, so that a forgotten condition finds some of it."""
    strangers = make_people(session, 3)
    for number, stranger in enumerate(strangers):
        post_id = make_post(session, stranger)
        for other in strangers:
            said = comment(session, other, post_id, at=LONG_AGO + timedelta(minutes=number))
            mention(session, said, stranger, "somebody")

"""Suspended people and what is around them, for the tests of the social service."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, text

from factories.social_people import LONG_AGO, make_person, relate
from factories.social_posts import deliver, like, make_post
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.suspensions import move_next
from igloo_social.models.comments import COMMENTS
from igloo_social.operations.comments import recount_comments

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session

# What holds for everybody who is here, at every moment: the stored counts, less those of people just on their
# way out, agree with the rows that lists are read from.
MISCOUNTED = text("""
WITH hidden AS (
    SELECT account_id FROM account_tasks WHERE kind IN ('erasure', 'suspension') AND due_at IS NOT NULL
), gone AS (
    SELECT user_id FROM profiles WHERE suspended_at IS NOT NULL OR deleted_at IS NOT NULL
    UNION SELECT account_id FROM hidden
)
SELECT user_id, 'follower_count' FROM profiles p WHERE user_id NOT IN (SELECT * FROM gone)
    AND follower_count - (SELECT count(*) FROM relations
        WHERE to_user = p.user_id AND relation_type = 'f' AND from_user IN (SELECT * FROM hidden))
    <> (SELECT count(*) FROM relations
        WHERE to_user = p.user_id AND relation_type = 'f' AND from_user NOT IN (SELECT * FROM gone))
UNION ALL
SELECT user_id, 'following_count' FROM profiles p WHERE user_id NOT IN (SELECT * FROM gone)
    AND following_count - (SELECT count(*) FROM relations
        WHERE from_user = p.user_id AND relation_type = 'f' AND to_user IN (SELECT * FROM hidden))
    <> (SELECT count(*) FROM relations
        WHERE from_user = p.user_id AND relation_type = 'f' AND to_user NOT IN (SELECT * FROM gone))
UNION ALL
SELECT id, 'like_count' FROM posts p WHERE author_id NOT IN (SELECT * FROM gone)
    AND like_count - (SELECT count(*) FROM likes
        WHERE post_id = p.id AND user_id IN (SELECT * FROM hidden))
    <> (SELECT count(*) FROM likes WHERE post_id = p.id AND user_id NOT IN (SELECT * FROM gone))
UNION ALL
SELECT id, 'comment_count' FROM posts p WHERE author_id NOT IN (SELECT * FROM gone)
    AND comment_count - (SELECT count(*) FROM comments WHERE post_id = p.id
        AND deleted_at IS NULL AND hidden_by IS NULL AND author_id IN (SELECT * FROM hidden))
    <> (SELECT count(*) FROM comments WHERE post_id = p.id
        AND deleted_at IS NULL AND hidden_by IS NULL AND author_id NOT IN (SELECT * FROM gone))
""")


def say(session: Session, author_id: UUID, post_id: UUID, words: str = "Nice", **columns: Any) -> UUID:  # noqa: ANN401 - any columns
    """Insert a comment, count it, and return its id."""
    comment_id: UUID = columns.pop("id", None) or new_id()
    values = {"post_id": post_id, "author_id": author_id, "text": words, "created_at": LONG_AGO, **columns}
    session.execute(insert(COMMENTS).values(id=comment_id, **values))
    recount_comments(session, [post_id])
    return comment_id


def suspend(session: Session, user_id: UUID) -> None:
    """Deliver `auth.account.suspended.v1`, and commit."""
    deliver(session, "auth.account.suspended.v1", now=utc_now(), account_id=user_id)
    session.commit()


def reinstate(session: Session, user_id: UUID) -> None:
    """Deliver `auth.account.reinstated.v1`, and commit."""
    deliver(session, "auth.account.reinstated.v1", now=utc_now(), account_id=user_id)
    session.commit()


def move_all(app: Flask, *, at_most: int = 1_000) -> int:
    """Run the lane until it has nothing to do, and return how many steps that took."""
    with app.app_context():
        for step in range(at_most):
            if not move_next():
                return step
    raise AssertionError(f"the lane still had work after {at_most} steps")


def miscounted(session: Session) -> list[tuple[UUID, str]]:
    """Find the counts that disagree with what could be paged through; there should be none."""
    session.rollback()
    return [(row[0], row[1]) for row in session.execute(MISCOUNTED)]


def state_of_everything(session: Session) -> dict[str, list[str]]:
    """Read all rows that a suspension moves, and all counts that it makes anew."""
    session.rollback()
    dumps = {
        "people": "SELECT user_id, follower_count, following_count, post_count, suspended_at FROM profiles",
        "posts": "SELECT id, like_count, comment_count, state FROM posts",
        "relations": "SELECT * FROM relations",
        "likes": "SELECT post_id, user_id, created_at FROM likes",
        "comments": "SELECT id, text, hidden_by, deleted_at FROM comments",
        "apart": "SELECT from_user, to_user FROM suspended_relations"
        " UNION ALL SELECT user_id, post_id FROM suspended_likes",
    }
    return {
        table: sorted(session.scalars(text(f"SELECT t::text FROM ({dump}) t")))  # noqa: S608 - words of our own
        for table, dump in dumps.items()
    }


class Neighbourhood:
    """Some people with edges of every kind, posts, likes and comments among them, all by chance."""

    def __init__(self, session: Session, seed: int, *, people: int = 6, with_comments: bool = True) -> None:
        chance = Random(seed)  # noqa: S311 - a test repeats it
        self.people = [make_person(session, is_private=number % 2 == 0) for number in range(people)]
        self.posts = [make_post(session, person) for person in self.people for _ in range(2)]
        for one, other in product(self.people, self.people):
            if one != other:
                self._relate(session, chance, one, other)
        for person, post_id in product(self.people, self.posts):
            if chance.random() < 0.5:
                like(session, person, post_id)
            for _ in range(chance.choice((0, 0, 1, 2)) if with_comments else 0):
                say(session, person, post_id, hidden_by=chance.choice((None, None, None, "moderation")))
        session.commit()

    def _relate(self, session: Session, chance: Random, one: UUID, other: UUID) -> None:
        is_private = self.people.index(other) % 2 == 0
        for kind in chance.choice(("", "", "f", "f", "f", "r" if is_private else "f", "m", "fm")):
            relate(session, one, kind, other)

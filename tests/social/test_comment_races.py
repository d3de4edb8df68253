"""Comments, likes, bookmarks, follows and blocks at once, on real connections: what is left agrees."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from factories.locks import wait_for_a_waiter
from factories.social_people import LONG_AGO, make_people, make_person, make_private
from factories.social_posts import make_post
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.errors import NotFound
from igloo_social.db import db
from igloo_social.models.comments import COMMENTS
from igloo_social.models.notifications import NOTIFICATIONS
from igloo_social.operations.blocks import block_account
from igloo_social.operations.comments import add_comment, delete_comment
from igloo_social.operations.likes import like_post
from igloo_social.operations.posts import delete_post

THREADS = 10
STEPS = 250

# Stored counts, and places in explore, that disagree with the rows.
_DRIFT = """
SELECT id FROM posts WHERE
    like_count <> (SELECT count(*) FROM likes WHERE post_id = posts.id)
    OR comment_count <> (
        SELECT count(*) FROM comments WHERE post_id = posts.id AND deleted_at IS NULL AND hidden_by IS NULL
    )
    OR rank_at <> published_at + interval '6 hours' * floor(log(2, 1 + like_count + 2 * comment_count))
"""
# News of what is not, of oneself, of deleted posts, or from whom a block parts the recipient.
_GROUNDLESS = """
SELECT n.kind, n.id FROM notifications n LEFT JOIN posts p ON p.id = n.post_id
WHERE n.recipient_id = n.actor_id
    OR n.kind = 'like' AND NOT EXISTS (
        SELECT FROM likes
        WHERE post_id = n.object_id AND user_id = n.actor_id AND p.author_id = n.recipient_id
    )
    OR n.kind = 'comment' AND NOT EXISTS (
        SELECT FROM comments WHERE id = n.object_id AND author_id = n.actor_id AND deleted_at IS NULL
            AND comments.post_id = n.post_id AND p.author_id = n.recipient_id
    )
    OR n.kind = 'mention' AND NOT EXISTS (
        SELECT FROM comment_mentions m JOIN comments c ON c.id = m.comment_id
        WHERE c.id = n.object_id AND m.user_id = n.recipient_id AND c.author_id = n.actor_id
            AND c.deleted_at IS NULL
    )
    OR p.deleted_at IS NOT NULL
    OR EXISTS (
        SELECT FROM relations WHERE relation_type = 'b'
        AND (from_user, to_user) IN ((n.recipient_id, n.actor_id), (n.actor_id, n.recipient_id))
    )
"""
# Likes that nobody was told of, though the two see each other.
_UNTOLD = """
SELECT p.id FROM likes l JOIN posts p ON p.id = l.post_id
WHERE l.user_id <> p.author_id AND p.deleted_at IS NULL AND NOT EXISTS (
    SELECT FROM notifications n
    WHERE n.kind = 'like' AND n.actor_id = l.user_id AND n.object_id = p.id AND n.recipient_id = p.author_id
)
UNION ALL
SELECT p.id FROM comments c JOIN posts p ON p.id = c.post_id
WHERE c.author_id <> p.author_id AND p.deleted_at IS NULL AND c.deleted_at IS NULL AND NOT EXISTS (
    SELECT FROM notifications n WHERE n.kind = 'comment' AND n.object_id = c.id
    AND n.recipient_id = p.author_id
)
"""
# What a block should have taken away.
_TRACES = """
SELECT b.from_user FROM relations b, posts p
WHERE b.relation_type = 'b' AND p.author_id IN (b.from_user, b.to_user) AND (
    EXISTS (
        SELECT FROM likes l WHERE l.post_id = p.id AND l.user_id IN (b.from_user, b.to_user)
        AND l.user_id <> p.author_id
    ) OR EXISTS (
        SELECT FROM comments c WHERE c.post_id = p.id AND c.author_id IN (b.from_user, b.to_user)
        AND c.author_id <> p.author_id AND c.deleted_at IS NULL
    )
)
"""
_LEFTOVERS = """
SELECT id FROM comments WHERE deleted_at IS NOT NULL AND (
    text <> '' OR mention_count <> 0 OR EXISTS (SELECT FROM comment_mentions WHERE comment_id = id)
)
"""


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    with app.app_context():
        yield db.engine


class Crowd:
    """People who do everything to each other's posts at once, through the API."""

    def __init__(self, app: Flask, session: Session) -> None:
        self.app = app
        self.names = [f"harp_seal_{number}" for number in range(6)]
        self.people = [make_person(session, username=name) for name in self.names]
        make_private(session, self.people[0])
        self.posts = [make_post(session, person) for person in self.people for _ in range(2)]
        session.commit()

    def run(self, number: int, start: Barrier) -> list[str]:
        """Take many steps by chance, and return how each was answered."""
        chance, client = random.Random(number), self.app.test_client()  # noqa: S311 - no secret
        said: list[str] = []
        start.wait(timeout=10)
        return [self._step(chance, client, said) for _ in range(STEPS)]

    def _step(self, chance: random.Random, client: FlaskClient, said: list[str]) -> str:
        method, path, body = self._choice(chance, said)
        reply = client.open(path, method=method, json=body, headers=bearer(chance.choice(self.people)))
        answer = reply.get_json() or {}
        if body and reply.status_code == 201:
            said.append(answer["id"])
        return str(answer.get("code", reply.status_code))

    def _choice(self, chance: random.Random, said: list[str]) -> tuple[str, str, dict[str, str] | None]:
        post, other, roll = chance.choice(self.posts), chance.choice(self.people), chance.random()
        if roll < 0.3:
            words = f"@{chance.choice(self.names)} @{chance.choice(self.names)}"
            return "POST", f"/v1/posts/{post}/comments", {"text": words}
        if roll < 0.5 and said:
            return "DELETE", f"/v1/comments/{chance.choice(said)}", None
        if roll < 0.85:
            thing = chance.choice(("like", "like", "bookmark"))
            return chance.choice(("PUT", "PUT", "DELETE")), f"/v1/posts/{post}/{thing}", None
        edge = "follow" if roll < 0.94 else "block"
        return chance.choice(("PUT", "DELETE", "DELETE")), f"/v1/users/{other}/{edge}", None


ANSWERS = {
    "200",
    "201",
    "204",
    "post_not_found",
    "comment_not_found",
    "not_your_comment",
    "user_not_found",
    "person_is_blocked",
    "self_relation",
}


def test_after_a_stampede_counts_lists_and_news_agree(app: Flask, session: Session) -> None:
    crowd, start = Crowd(app, session), Barrier(THREADS)

    with ThreadPoolExecutor(THREADS) as pool:
        runs = [pool.submit(crowd.run, number, start) for number in range(THREADS)]
        answers = {answer for done in runs for answer in done.result(timeout=60)}

    assert {"200", "201", "204", "not_your_comment"} <= answers <= ANSWERS
    for question in (_DRIFT, _GROUNDLESS, _UNTOLD, _TRACES, _LEFTOVERS):
        assert session.execute(text(question)).all() == [], question
    client = app.test_client()
    for viewer in (None, *crowd.people):
        for post in crowd.posts:
            assert_counts_are_the_lists(client, viewer, post)


def assert_counts_are_the_lists(client: FlaskClient, viewer: UUID | None, post_id: UUID) -> None:
    headers = bearer(viewer) if viewer else {}
    post = client.get(f"/v1/posts/{post_id}", headers=headers)
    for things, count in (("likes", "like_count"), ("comments", "comment_count")):
        found = client.get(f"/v1/posts/{post_id}/{things}?limit=100", headers=headers)
        assert found.status_code == post.status_code
        shown = len(found.get_json().get("data", ()))
        while found.status_code == 200 and (cursor := found.get_json()["page"]["next_cursor"]):
            found = client.get(f"/v1/posts/{post_id}/{things}?limit=100&cursor={cursor}", headers=headers)
            shown += len(found.get_json()["data"])
        assert shown == post.get_json().get(count, 0)


def commenting(engine: Engine, post_id: UUID, person: UUID, words: str = "Cold") -> Callable[[], None]:
    def effort() -> None:
        with Session(engine) as own, own.begin():
            add_comment(own, post_id=post_id, author_id=person, text=words, now=utc_now())

    return effort


def test_a_comment_that_waits_for_a_block_finds_no_post(engine: Engine, session: Session) -> None:
    author, guest = make_people(session, 2)
    post_id = make_post(session, author)
    session.commit()
    block_account(session, actor_id=author, blocked_id=guest, now=LONG_AGO)

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(commenting(engine, post_id, guest))
        wait_for_a_waiter(session, effort)
        session.commit()
        with pytest.raises(NotFound):
            effort.result(timeout=30)

    assert session.scalar(select(func.count()).select_from(COMMENTS)) == 0


def test_a_comment_that_a_block_waits_for_goes_with_it(engine: Engine, session: Session) -> None:
    author, guest, puffin = make_people(session, 3)
    session.execute(text("UPDATE profiles SET username = 'puffin' WHERE user_id = :id"), {"id": puffin})
    post_id = make_post(session, author)
    session.commit()
    add_comment(session, post_id=post_id, author_id=guest, text="@puffin", now=utc_now())

    def blocking() -> None:
        with Session(engine) as own, own.begin():
            block_account(own, actor_id=author, blocked_id=guest, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(blocking)
        wait_for_a_waiter(session, effort)
        session.commit()
        effort.result(timeout=30)

    assert session.scalar(select(func.count()).where(COMMENTS.c.deleted_at.is_(None))) == 0
    assert session.scalar(select(func.count()).select_from(NOTIFICATIONS)) == 0
    assert session.execute(text(_DRIFT)).all() == []


def test_a_comment_that_waits_for_a_deletion_finds_no_post(engine: Engine, session: Session) -> None:
    author, guest = make_people(session, 2)
    post_id = make_post(session, author)
    session.commit()
    delete_post(session, post_id=post_id, author_id=author, now=LONG_AGO)

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(commenting(engine, post_id, guest))
        wait_for_a_waiter(session, effort)
        session.commit()
        with pytest.raises(NotFound):
            effort.result(timeout=30)

    assert session.scalar(select(func.count()).select_from(NOTIFICATIONS)) == 0


_HOLD_POST = text("SELECT FROM posts WHERE id = :id FOR NO KEY UPDATE NOWAIT")
_HOLD_COMMENT = text("SELECT FROM comments WHERE id = :id FOR NO KEY UPDATE NOWAIT")


def test_a_deletion_takes_the_post_before_the_comment(engine: Engine, session: Session) -> None:
    author, guest = make_people(session, 2)
    post_id = make_post(session, author)
    said, _ = add_comment(session, post_id=post_id, author_id=guest, text="Cold", now=LONG_AGO)
    session.commit()
    session.execute(_HOLD_POST, {"id": post_id})

    def deleting() -> None:
        with Session(engine) as own, own.begin():
            delete_comment(own, comment_id=said.id, user_id=guest, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(deleting)
        wait_for_a_waiter(session, effort)
        session.execute(_HOLD_COMMENT, {"id": said.id})
        session.commit()
        effort.result(timeout=30)


def test_a_block_takes_posts_with_likes_and_with_comments_in_one_order(
    engine: Engine, session: Session
) -> None:
    author, guest = make_people(session, 2)
    commented, liked = sorted(make_post(session, author) for _ in range(2))
    session.commit()
    add_comment(session, post_id=commented, author_id=guest, text="Cold", now=LONG_AGO)
    like_post(session, post_id=liked, user_id=guest, now=LONG_AGO)
    session.commit()
    session.execute(_HOLD_POST, {"id": commented})

    def blocking() -> None:
        with Session(engine) as own, own.begin():
            block_account(own, actor_id=author, blocked_id=guest, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(blocking)
        wait_for_a_waiter(session, effort)
        session.execute(_HOLD_POST, {"id": liked})
        session.commit()
        effort.result(timeout=30)

    assert session.execute(text(_DRIFT)).all() == []

"""Everybody is told of as many posts as they can page through, whatever becomes of the posts."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_person, make_private, relate
from factories.social_posts import add_post_noise, make_post, media_failed, media_ready
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.db import db
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.post_counts import RECOUNT_BELOW, recount_posts
from igloo_social.operations.posts import NewPost, create_post
from igloo_social.operations.publishing import hide_post, restore_post


class Readers:
    """An author, and everybody who counts their posts."""

    def __init__(self, client: FlaskClient, session: Session) -> None:
        self._client, self._session = client, session
        self.author, self.follower, self.stranger, self.blocking = (make_person(session) for _ in range(4))
        relate(session, self.follower, "f", self.author)
        relate(session, self.blocking, "b", self.author)
        add_noise(session, self.author)
        add_post_noise(session)
        session.commit()

    def counts(self) -> list[int]:
        """Tell what author, follower, stranger and the anonymous are told, checked against their lists."""
        self._session.commit()
        viewers = [self.author, self.follower, self.stranger, None]
        told = [self._told(viewer) for viewer in viewers]
        assert told == [self._listed(viewer) for viewer in viewers]
        assert self._told(self.blocking) == self._listed(self.blocking) == 0
        return told

    def _told(self, viewer: UUID | None) -> int:
        headers = bearer(viewer) if viewer else {}
        count: int = self._client.get(f"/v1/users/{self.author}", headers=headers).get_json()["post_count"]
        return count

    def _listed(self, viewer: UUID | None) -> int:
        path, headers = f"/v1/users/{self.author}/posts?limit=100", bearer(viewer) if viewer else {}
        return len(self._client.get(path, headers=headers).get_json()["data"])

    def post(self, **body: object) -> UUID:
        """Make a post and return its id."""
        reply = self._client.post("/v1/posts", json={"caption": "#눈", **body}, headers=bearer(self.author))
        assert reply.status_code == 201
        return UUID(reply.get_json()["id"])

    def edit(self, post_id: UUID, **body: object) -> None:
        """Edit a post."""
        reply = self._client.patch(f"/v1/posts/{post_id}", json=body, headers=bearer(self.author))
        assert reply.status_code == 200

    def delete(self, post_id: UUID) -> None:
        """Delete a post."""
        self._client.delete(f"/v1/posts/{post_id}", headers=bearer(self.author))


@pytest.fixture
def readers(client: FlaskClient, session: Session) -> Readers:
    return Readers(client, session)


def test_counts_follow_visibility(readers: Readers) -> None:
    post_id = readers.post()
    assert readers.counts() == [1, 1, 1, 1]
    readers.post(visibility="private")
    assert readers.counts() == [2, 1, 1, 1]
    other = readers.post(visibility="followers")
    assert readers.counts() == [3, 2, 1, 1]
    readers.edit(post_id, visibility="private")
    assert readers.counts() == [3, 1, 0, 0]
    readers.edit(other, visibility="public")
    assert readers.counts() == [3, 1, 1, 1]
    readers.edit(post_id, visibility="followers")
    assert readers.counts() == [3, 2, 1, 1]


def test_a_private_account_has_none_for_strangers(session: Session, readers: Readers) -> None:
    readers.post()
    readers.post(visibility="followers")
    make_private(session, readers.author)

    assert readers.counts() == [2, 2, 0, 0]


def test_counts_follow_what_becomes_of_posts(session: Session, readers: Readers) -> None:
    coming, bad = new_id(), new_id()
    waiting = readers.post(media_ids=[str(coming)])
    failing = readers.post(media_ids=[str(bad)], visibility="followers")
    assert readers.counts() == [2, 0, 0, 0]
    media_ready(session, coming, readers.author)
    assert readers.counts() == [2, 1, 1, 1]
    media_failed(session, bad, readers.author)
    assert readers.counts() == [2, 1, 1, 1]

    hide_post(session, post_id=waiting, author_id=readers.author, now=utc_now())
    assert readers.counts() == [2, 0, 0, 0]
    restore_post(session, post_id=waiting, author_id=readers.author, now=utc_now())
    assert readers.counts() == [2, 1, 1, 1]

    hide_post(session, post_id=waiting, author_id=readers.author, now=utc_now())
    session.commit()
    readers.delete(waiting)
    assert readers.counts() == [1, 0, 0, 0]
    readers.delete(failing)
    readers.delete(failing)
    assert readers.counts() == [0, 0, 0, 0]


def test_the_counts_of_whoever_posts_much_are_added_to_and_stay_right(
    session: Session, readers: Readers
) -> None:
    for number in range(RECOUNT_BELOW):
        make_post(session, readers.author, visibility="followers" if number % 2 else "public")
    half = RECOUNT_BELOW // 2
    assert readers.counts() == [2 * half, 2 * half, half, half]

    post_id = readers.post()
    assert readers.counts() == [2 * half + 1, 2 * half + 1, half + 1, half + 1]
    readers.edit(post_id, visibility="followers")
    assert readers.counts() == [2 * half + 1, 2 * half + 1, half, half]
    readers.delete(post_id)
    assert readers.counts() == [2 * half, 2 * half, half, half]


@pytest.mark.parametrize("posts", [0, RECOUNT_BELOW])
def test_counts_that_had_drifted_keep_nobody_from_deleting(
    session: Session, readers: Readers, posts: int
) -> None:
    for _ in range(posts):
        make_post(session, readers.author)
    post_id = make_post(session, readers.author)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == readers.author).values(public_post_count=0))
    session.commit()

    readers.delete(post_id)

    session.rollback()
    recount_posts(session, readers.author)
    assert readers.counts() == [posts] * 4


def test_posts_made_at_once_are_all_counted(app: Flask, session: Session) -> None:
    author = make_person(session)
    session.commit()
    with app.app_context():
        engine = db.engine

    def post(caption: str) -> None:
        with Session(engine) as own, own.begin():
            create_post(own, NewPost(caption=caption), author_id=author, now=LONG_AGO)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(partial(post, f"#{word}")) for word in ("snow", "ice", "hare") * 20]:
            done.result(timeout=30)

    columns = (PROFILES.c.post_count, PROFILES.c.public_post_count, PROFILES.c.followers_post_count)
    assert tuple(session.execute(select(*columns).where(PROFILES.c.user_id == author)).one()) == (60, 60, 0)

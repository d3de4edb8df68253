from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from factories.locks import wait_for_a_waiter
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.social_posts import add_post_noise, deliver, make_post, put_in_feed
from igloo_social.db import db
from igloo_social.models.posts import POSTS
from igloo_social.models.relations import RELATIONS
from igloo_social.models.timeline import TIMELINE
from igloo_social.operations import timeline
from igloo_social.operations.blocks import block_account
from igloo_social.operations.follows import unfollow_account


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session)
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


def feeds_with(session: Session, post_id: UUID) -> set[UUID]:
    return set(session.scalars(select(TIMELINE.c.owner_id).where(TIMELINE.c.post_id == post_id)))


def feed_of(session: Session, owner_id: UUID) -> set[UUID]:
    return set(session.scalars(select(TIMELINE.c.post_id).where(TIMELINE.c.owner_id == owner_id)))


def followers(session: Session, author: UUID, count: int) -> list[UUID]:
    people = make_people(session, count)
    for number, person in enumerate(people):
        # Several share a moment, so that a batch ends between two of the same time.
        relate(session, person, "f", author, at=LONG_AGO + timedelta(seconds=number // 3))
    return people


def publish(session: Session, post_id: UUID, author: UUID) -> None:
    deliver(session, "social.post.published.v1", post_id=post_id, author_id=author)


def test_a_post_reaches_every_follower_once(session: Session, author: UUID) -> None:
    people = followers(session, author, 3)
    post_id = make_post(session, author)

    publish(session, post_id, author)
    publish(session, post_id, author)

    assert feeds_with(session, post_id) == set(people)


@pytest.mark.parametrize("count", [1, 6, 7, 8, 14, 15])
def test_batches_leave_nobody_out(
    session: Session, author: UUID, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(timeline, "BATCH_SIZE", 7)
    people = followers(session, author, count)
    post_id = make_post(session, author)

    publish(session, post_id, author)

    assert feeds_with(session, post_id) == set(people)


@pytest.mark.parametrize(
    "columns",
    [
        {"deleted_at": LONG_AGO},
        {"visibility": "private"},
        {"state": "processing"},
    ],
)
def test_a_post_that_is_not_out_any_more_reaches_nobody(
    session: Session, author: UUID, columns: dict[str, Any]
) -> None:
    followers(session, author, 2)
    post_id = make_post(session, author, **columns)

    publish(session, post_id, author)

    assert feeds_with(session, post_id) == set()


def test_a_follower_behind_a_block_is_left_out(session: Session, author: UUID) -> None:
    blocked, blocking, fine = followers(session, author, 3)
    relate(session, author, "b", blocked)
    relate(session, blocking, "b", author)
    post_id = make_post(session, author)

    publish(session, post_id, author)

    assert feeds_with(session, post_id) == {fine}


def test_a_deleted_post_leaves_its_followers_feeds_and_no_other_post_does(
    session: Session, author: UUID
) -> None:
    people = followers(session, author, 2)
    post_id, other = make_post(session, author), make_post(session, author)
    for post in (post_id, other):
        publish(session, post, author)
    session.execute(update(POSTS).where(POSTS.c.id == post_id).values(deleted_at=LONG_AGO))

    deliver(session, "social.post.deleted.v1", post_id=post_id, author_id=author)

    assert feeds_with(session, post_id) == set()
    assert feeds_with(session, other) == set(people)


def change(session: Session, from_user: UUID, kind: str, to_user: UUID) -> None:
    """Deliver a relation's event; it does not even say whether the edge came or went."""
    deliver(
        session,
        "social.relation.changed.v1",
        from_user_id=from_user,
        to_user_id=to_user,
        relation_type=kind,
        change="created",
    )


def test_a_follow_brings_the_newest_posts_that_followers_may_see(
    session: Session, author: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "BACKFILL_SIZE", 3)
    reader = make_person(session)
    days = [LONG_AGO + timedelta(days=number) for number in range(5)]
    shown = [make_post(session, author, at=at, visibility="followers") for at in days]
    make_post(session, author, at=days[-1], visibility="private")
    make_post(session, author, at=days[-1], deleted_at=LONG_AGO)
    make_post(session, author, at=days[-1], state="processing")
    relate(session, reader, "f", author)

    change(session, reader, "f", author)

    assert feed_of(session, reader) == set(shown[2:])


def test_a_late_event_of_a_follow_that_is_over_brings_nothing(session: Session, author: UUID) -> None:
    reader = make_person(session)
    post_id = make_post(session, author)
    put_in_feed(session, reader, post_id, author)

    change(session, reader, "f", author)

    assert feed_of(session, reader) == set()


def test_an_unfollow_takes_out_that_authors_posts_alone(session: Session, author: UUID) -> None:
    reader, other = make_people(session, 2)
    kept, gone, backward = make_post(session, other), make_post(session, author), make_post(session, reader)
    put_in_feed(session, reader, kept, other)
    put_in_feed(session, reader, gone, author)
    put_in_feed(session, author, backward, reader)
    relate(session, reader, "f", other)
    relate(session, author, "f", reader)

    change(session, reader, "f", author)

    assert feed_of(session, reader) == {kept}
    assert feed_of(session, author) == {backward}


def test_a_block_parts_both_feeds_at_once(session: Session, author: UUID) -> None:
    reader = make_person(session)
    for person, other in ((author, reader), (reader, author)):
        relate(session, person, "f", other)
        put_in_feed(session, person, make_post(session, other), other)

    block_account(session, actor_id=author, blocked_id=reader, now=LONG_AGO)

    assert feed_of(session, reader) == feed_of(session, author) == set()


def unfollow(session: Session, reader: UUID, author: UUID) -> None:
    unfollow_account(session, actor_id=reader, followee_id=author, now=LONG_AGO)


def block(session: Session, reader: UUID, author: UUID) -> None:
    block_account(session, actor_id=reader, blocked_id=author, now=LONG_AGO)


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    with app.app_context():
        yield db.engine


@pytest.mark.parametrize("leave", [unfollow, block])
def test_whoever_leaves_during_a_fan_out_is_left_with_nothing(
    engine: Engine, session: Session, author: UUID, leave: Callable[[Session, UUID, UUID], None]
) -> None:
    reader = make_person(session)
    relate(session, reader, "f", author)
    post_id = make_post(session, author)
    session.commit()
    publish(session, post_id, author)

    def go() -> None:
        with Session(engine) as own, own.begin():
            leave(own, reader, author)
        # What the relation's own event does; it may come while the fan-out still runs.
        with Session(engine) as own, own.begin():
            change(own, reader, "f", author)

    with ThreadPoolExecutor(1) as pool:
        leaving = pool.submit(go)
        wait_for_a_waiter(session, leaving)
        session.commit()
        leaving.result(timeout=30)

    assert feed_of(session, reader) == set()


def test_a_fan_out_to_many_writes_each_feed_once(session: Session, author: UUID) -> None:
    people = make_people(session, 300)
    session.execute(
        insert(RELATIONS),
        [
            {"from_user": person, "relation_type": "f", "to_user": author, "created_at": LONG_AGO}
            for person in people
        ],
    )
    post_id = make_post(session, author)

    publish(session, post_id, author)

    assert feeds_with(session, post_id) == set(people)

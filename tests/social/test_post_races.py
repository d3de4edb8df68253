"""Races of posts against the events of their media, on a real database with real threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from random import Random
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from factories.locks import wait_for_a_waiter
from factories.social_people import LONG_AGO, make_people, make_person
from factories.social_posts import media_failed, media_ready
from igloo_common.ids import new_id
from igloo_social.db import db
from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.models.posts import POST_TAGS, POSTS, Visibility
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.blocks import block_account
from igloo_social.operations.images import MediaNotUsable
from igloo_social.operations.post_counts import recount_posts
from igloo_social.operations.post_edits import PostEdit, edit_post
from igloo_social.operations.posts import NewPost, create_post, delete_post
from igloo_social.operations.publishing import fail_stranded_posts
from igloo_social.queries.posts import PostNotFound

ROUNDS = 40
Effort = Callable[[Session], object]


@pytest.fixture
def engine(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


def at_once(engine: Engine, *efforts: Effort) -> list[object]:
    """Run each effort in a transaction and a thread of its own, all starting together."""
    start = Barrier(len(efforts))

    def run(effort: Effort) -> object:
        with Session(engine) as session, session.begin():
            start.wait(timeout=10)
            return effort(session)

    with ThreadPoolExecutor(len(efforts)) as pool:
        return [done.result(timeout=30) for done in [pool.submit(run, effort) for effort in efforts]]


def posting(author: UUID, media_ids: list[UUID]) -> Effort:
    def effort(session: Session) -> object:
        return create_post(session, NewPost(media_ids=media_ids), author_id=author, now=LONG_AGO).id

    return effort


def trying_to_post(author: UUID, media_ids: list[UUID]) -> Effort:
    """Post, and take a refusal for an answer."""

    def effort(session: Session) -> object:
        try:
            return create_post(session, NewPost(media_ids=media_ids), author_id=author, now=LONG_AGO).id
        except MediaNotUsable:
            return None

    return effort


def becoming_ready(media_id: UUID, owner: UUID) -> Effort:
    return partial(media_ready, media_id=media_id, owner_id=owner)


def state_of(session: Session, post_id: object) -> str:
    session.rollback()
    state: str = session.execute(select(POSTS.c.state).where(POSTS.c.id == post_id)).scalar_one()
    return state


def test_no_post_is_stranded_between_its_making_and_its_media(engine: Engine, session: Session) -> None:
    author = make_person(session)
    session.commit()
    for _ in range(ROUNDS):
        media_ids = [new_id() for _ in range(4)]

        post_id, *_rest = at_once(
            engine, posting(author, media_ids), *(becoming_ready(media_id, author) for media_id in media_ids)
        )

        assert state_of(session, post_id) == "published"
    published = session.scalar(text("SELECT count(*) FROM outbox WHERE type = 'social.post.published.v1'"))
    assert published == ROUNDS
    assert session.scalar(text("SELECT post_count FROM profiles")) == ROUNDS


def test_one_medium_is_shown_by_one_post_whoever_comes_first(engine: Engine, session: Session) -> None:
    author = make_person(session)
    session.commit()
    for _ in range(ROUNDS):
        shared, extra = new_id(), new_id()

        first, second, *_rest = at_once(
            engine,
            trying_to_post(author, [shared, extra]),
            trying_to_post(author, [extra, shared]),
            becoming_ready(shared, author),
            becoming_ready(extra, author),
        )

        states = sorted(state_of(session, post_id) for post_id in (first, second) if post_id)
        assert states.count("published") <= 1
        assert "processing" not in states
        shown = session.scalars(
            select(MEDIA_ITEMS.c.post_id).where(MEDIA_ITEMS.c.media_id.in_((shared, extra)))
        ).all()
        assert len({post_id for post_id in shown if post_id}) == states.count("published")


def test_media_deletion_and_sweeper_never_deadlock_nor_leave_halves(engine: Engine, session: Session) -> None:
    random = Random(20250102)  # noqa: S311 - a repeatable shuffle, no secret
    people = make_people(session, 2)
    session.commit()
    for _ in range(ROUNDS):
        author, other = people
        media_ids = [new_id() for _ in range(3)]
        post_id = at_once(engine, posting(author, media_ids))[0]
        assert isinstance(post_id, UUID)
        efforts: list[Effort] = [
            becoming_ready(media_ids[0], author),
            becoming_ready(media_ids[1], author),
            partial(media_failed, media_id=media_ids[2], owner_id=author),
            partial(delete_post, post_id=post_id, author_id=author, now=LONG_AGO),
            partial(fail_stranded_posts, created_before=LONG_AGO + timedelta(1), now=LONG_AGO),
            trying_to_post(author, media_ids[:2]),
            trying_to_post(other, media_ids[1:]),
        ]
        random.shuffle(efforts)

        at_once(engine, *efforts)

        session.rollback()
        attached_to_the_dead = session.scalar(
            select(text("count(*)"))
            .select_from(MEDIA_ITEMS.join(POSTS, POSTS.c.id == MEDIA_ITEMS.c.post_id))
            .where(POSTS.c.state == "failed", POSTS.c.deleted_at.is_(None))
        )
        assert attached_to_the_dead == 0
        waiting = session.scalars(
            select(POSTS.c.id).where(POSTS.c.state == "processing", POSTS.c.deleted_at.is_(None))
        ).all()
        assert waiting == []


def test_a_medium_that_comes_while_its_post_is_given_up_comes_too_late(
    engine: Engine, session: Session
) -> None:
    author, media_id = make_person(session), new_id()
    post_id = create_post(session, NewPost(media_ids=[media_id]), author_id=author, now=LONG_AGO).id
    session.commit()
    assert fail_stranded_posts(session, created_before=LONG_AGO + timedelta(1), now=LONG_AGO) == 1

    def becoming() -> None:
        with Session(engine) as own, own.begin():
            media_ready(own, media_id, author)

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(becoming)
        wait_for_a_waiter(session, effort)
        session.commit()
        effort.result(timeout=30)

    assert state_of(session, post_id) == "failed"
    owner = session.execute(select(MEDIA_ITEMS.c.post_id).where(MEDIA_ITEMS.c.media_id == media_id))
    assert owner.scalar_one() is None


def test_counts_and_tags_agree_with_posts_whatever_happens_at_once(engine: Engine, session: Session) -> None:
    random = Random(20250102)  # noqa: S311 - a repeatable shuffle, no secret
    author = make_person(session)
    session.commit()
    columns = (PROFILES.c.post_count, PROFILES.c.public_post_count, PROFILES.c.followers_post_count)
    counts = select(*columns).where(PROFILES.c.user_id == author)
    for _ in range(ROUNDS // 2):
        media_id = new_id()
        new = NewPost(caption="#snow", media_ids=[media_id])
        first = create_post(session, new, author_id=author, now=LONG_AGO).id
        second = create_post(session, NewPost(caption="#ice"), author_id=author, now=LONG_AGO).id
        session.commit()
        words = [PostEdit(caption="#hare"), PostEdit(visibility=Visibility.FOLLOWERS), PostEdit(caption="No")]
        efforts: list[Effort] = [
            becoming_ready(media_id, author),
            *(partial(edit_post, edit=edit, post_id=first, author_id=author, now=LONG_AGO) for edit in words),
            partial(edit_post, edit=words[0], post_id=second, author_id=author, now=LONG_AGO),
            partial(delete_post, post_id=second, author_id=author, now=LONG_AGO),
        ]
        random.shuffle(efforts)

        at_once(engine, *(forgiving(effort) for effort in efforts))

        told = tuple(session.execute(counts).one())
        recount_posts(session, author)
        assert told == tuple(session.execute(counts).one())
        wanted = session.execute(
            select(func.unnest(POSTS.c.tags), POSTS.c.id).where(
                POSTS.c.state == "published", POSTS.c.deleted_at.is_(None)
            )
        )
        listed = session.execute(select(POST_TAGS.c.tag, POST_TAGS.c.post_id))
        assert sorted(map(tuple, wanted)) == sorted(map(tuple, listed))
        session.commit()


def test_nobody_is_told_by_whom_they_block_in_the_same_moment(engine: Engine, session: Session) -> None:
    for round_ in range(ROUNDS // 2):
        writer, named = make_person(session), make_person(session, username=f"puffin{round_}")
        session.commit()
        words = NewPost(caption=f"Hello @puffin{round_}")

        at_once(
            engine,
            partial(create_post, new=words, author_id=writer, now=LONG_AGO),
            partial(block_account, actor_id=named, blocked_id=writer, now=LONG_AGO),
        )

        assert session.scalar(text("SELECT count(*) FROM notifications")) == 0
        session.rollback()


def forgiving(effort: Effort) -> Effort:
    """Take for an answer that the post is deleted by now."""

    def trying(session: Session) -> object:
        try:
            return effort(session)
        except PostNotFound:
            return None

    return trying

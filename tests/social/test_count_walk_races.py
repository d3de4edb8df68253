"""Walks through stored counts beside people who do things: nothing right looks wrong, or ends wrong."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.locks import wait_for_a_waiter
from factories.social_people import add_noise, make_people
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import IglooError
from igloo_social.models.posts import Visibility
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.comments import add_comment, delete_comment
from igloo_social.operations.follows import follow_account, unfollow_account
from igloo_social.operations.likes import like_post, unlike_post
from igloo_social.operations.post_edits import PostEdit, edit_post
from igloo_social.operations.posts import NewPost, create_post, delete_post
from igloo_social.reconciliation import Reconciliation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask
    from sqlalchemy.orm import Session

    Deed = Callable[[Session, Mapping[str, UUID]], object]

# What somebody does while a walk is about to put the very count right that it changes.
DEEDS: Mapping[str, tuple[str, Deed]] = {
    "like": (
        "UPDATE posts SET like_count = 5 WHERE id = :post",
        lambda own, who: like_post(own, post_id=who["post"], user_id=who["fan"], now=utc_now()),
    ),
    "comment": (
        "UPDATE posts SET comment_count = 5 WHERE id = :post",
        lambda own, who: add_comment(
            own, post_id=who["post"], author_id=who["fan"], text="@nobody Snow!", now=utc_now()
        ),
    ),
    "follow": (
        "UPDATE profiles SET follower_count = 500 WHERE user_id = :author",
        lambda own, who: follow_account(own, actor_id=who["fan"], followee_id=who["author"], now=utc_now()),
    ),
    "post": (
        "UPDATE profiles SET post_count = 500 WHERE user_id = :author",
        lambda own, who: create_post(own, NewPost(caption="#snow"), author_id=who["author"], now=utc_now()),
    ),
    "edit": (
        "INSERT INTO post_tags SELECT 'fog', published_at, id FROM posts WHERE id = :post",
        lambda own, who: edit_post(
            own, PostEdit(caption="#ice"), post_id=who["post"], author_id=who["author"], now=utc_now()
        ),
    ),
    "news": (
        "UPDATE notification_groups SET actor_count = 5 WHERE recipient_id = :author AND kind = 'like'",
        lambda own, who: like_post(own, post_id=who["post"], user_id=who["fan"], now=utc_now()),
    ),
    "last news": (
        "UPDATE notification_groups SET actor_count = 5 WHERE recipient_id = :author AND kind = 'like'",
        lambda own, who: unlike_post(own, post_id=who["post"], user_id=who["friend"]),
    ),
}


def walk(app: Flask, *, only_looks: bool = False) -> dict[str, tuple[int, int]]:
    """Walk through everything in small batches; return what was wrong, and how much of it was put right."""
    made = Reconciliation(only_looks=only_looks, at_once=3)
    with app.app_context():
        while made.step():
            pass
    tallies = {kind: (tally.wrong, tally.put_right) for kind, tally in made.tallies.items()}
    return {kind: tally for kind, tally in tallies.items() if tally != (0, 0)}


@pytest.fixture
def who(app: Flask, session: Session) -> Mapping[str, UUID]:
    """Make an author with a post, a friend who likes it, and a fan who is about to do something."""
    author, fan, friend = make_people(session, 3)
    add_noise(session, author, fan)
    post = make_post(session, author, caption="#snow")
    session.commit()
    with app.app_context(), transaction() as own:
        like_post(own, post_id=post, user_id=friend, now=utc_now())
    return {"author": author, "fan": fan, "friend": friend, "post": post}


@pytest.mark.parametrize(("spoil", "deed"), DEEDS.values(), ids=DEEDS.keys())
def test_what_is_done_while_a_count_is_put_right_counts_once(
    app: Flask, session: Session, who: Mapping[str, UUID], spoil: str, deed: Deed
) -> None:
    spoilt = text(spoil)
    session.execute(spoilt, {name: who[name] for name in spoilt.compile().params})
    session.commit()
    session.execute(text("SELECT"))
    deed(session, who)
    session.execute(text("SELECT"))

    with ThreadPoolExecutor(1) as pool:
        walking = pool.submit(walk, app)
        wait_for_a_waiter(session, walking)
        assert not walking.done()
        session.commit()
        walking.result(timeout=30)

    assert walk(app) == {}


def test_nothing_looks_wrong_to_walks_beside_a_crowd(app: Flask, session: Session) -> None:
    town = make_town(session)

    assert beside_a_crowd(app, town, lambda: walk(app)) == {}
    assert walk(app, only_looks=True) == {}


def test_what_drifts_beside_a_crowd_ends_right(app: Flask, session: Session) -> None:
    town = make_town(session)
    drift = [
        text("UPDATE posts SET like_count = like_count + 1, comment_count = comment_count + 1"),
        text("UPDATE profiles SET follower_count = follower_count + 1, post_count = post_count + 1"),
        text("UPDATE notification_groups SET actor_count = actor_count + 1"),
        text("DELETE FROM post_tags"),
    ]

    def spoil_and_walk() -> dict[str, tuple[int, int]]:
        # Locked as everybody does it; the statements alone would take rows in any order.
        for statement in drift:
            with app.app_context(), transaction() as own:
                own.execute(text("SELECT FROM profiles ORDER BY user_id FOR NO KEY UPDATE"))
                own.execute(text("SELECT FROM posts ORDER BY id FOR NO KEY UPDATE"))
                own.execute(text("SELECT FROM notification_groups ORDER BY id FOR UPDATE"))
                own.execute(statement)
        return walk(app)

    found = beside_a_crowd(app, town, spoil_and_walk)

    assert found.keys() >= {"likes", "comments", "followers", "posts", "notification_groups", "tags"}
    walk(app)
    assert walk(app, only_looks=True) == {}


Town = tuple[list[UUID], dict[UUID, UUID]]


def make_town(session: Session) -> Town:
    """Make people, of whom two have a post each that somebody likes; return them and whose the posts are."""
    people = make_people(session, 5)
    posts = {make_post(session, author, caption="#snow"): author for author in people[:2]}
    add_noise(session, *people)
    for post_id in posts:
        like_post(session, post_id=post_id, user_id=people[-1], now=utc_now())
    session.commit()
    return people, posts


def beside_a_crowd(
    app: Flask, town: Town, work: Callable[[], dict[str, tuple[int, int]]]
) -> dict[str, tuple[int, int]]:
    """Repeat some work while four people at a time do things; return what the work found, all in all."""
    over, found = Event(), dict[str, tuple[int, int]]()

    def crowd(seed: int) -> None:
        dice, said = random.Random(seed), list[UUID]()  # noqa: S311 - a shuffle, not a secret
        for _ in range(40):
            with app.app_context(), suppress(IglooError), transaction() as own:
                act(own, dice, town, said)

    def repeat() -> None:
        found.update(work())
        while not over.is_set():
            found.update(work())

    with ThreadPoolExecutor(5) as pool:
        working = pool.submit(repeat)
        crowds = [pool.submit(crowd, seed) for seed in range(4)]
        try:
            for done in crowds:
                done.result(timeout=60)
        finally:
            over.set()
        working.result(timeout=60)
    return found


def act(own: Session, dice: random.Random, town: Town, said: list[UUID]) -> None:
    """Do something at random."""
    people, posts = town
    (one, other), post_id, now = dice.sample(people, 2), dice.choice(list(posts)), utc_now()
    match dice.randrange(10):
        case 0 | 1:
            like_post(own, post_id=post_id, user_id=one, now=now)
        case 2:
            unlike_post(own, post_id=post_id, user_id=one)
        case 3 | 4:
            comment, _ = add_comment(own, post_id=post_id, author_id=one, text="Snow!", now=now)
            said.append(comment.id)
        case 5 if said:
            delete_comment(own, comment_id=said.pop(0), user_id=people[0], now=now)
        case 6:
            change = dice.choice((follow_account, follow_account, unfollow_account))
            change(own, actor_id=one, followee_id=other, now=now)
        case 7:
            new = NewPost(caption="#ice #fog", visibility=dice.choice(list(Visibility)))
            view = create_post(own, new, author_id=one, now=now)
            if dice.random() < 0.5:
                delete_post(own, post_id=view.id, author_id=one, now=now)
        case 8:
            edit = PostEdit(caption=dice.choice(("#ice", "#snow", "Fog")))
            edit_post(own, edit, post_id=post_id, author_id=posts[post_id], now=now)
        case _:
            sides = {"actor_id": one, "blocked_id": other}
            dice.choice((block_account, unblock_account, unblock_account))(own, **sides, now=now)

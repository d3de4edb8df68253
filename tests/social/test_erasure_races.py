"""What people do while one of them leaves: done before, and then removed, or not done at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from factories.locks import wait_for_a_waiter
from factories.social_accounts import (
    Life,
    assert_nothing_is_left,
    erase_all,
    everything_else,
)
from factories.social_events import emitted
from factories.social_posts import deliver, media_ready
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import IglooError
from igloo_common.ids import new_id
from igloo_social.operations.account_tasks import request_erasure
from igloo_social.operations.blocks import block_account
from igloo_social.operations.follows import follow_account, unfollow_account
from igloo_social.operations.likes import like_post
from igloo_social.operations.read_markers import move_read_marker
from igloo_social.operations.posts import NewPost, create_post

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session


def act(app: Flask, *steps: Callable[[Session], object]) -> None:
    with app.app_context():
        for step in steps:
            try:
                with transaction() as session:
                    step(session)
            except IglooError:
                continue


def test_what_others_and_they_do_meanwhile_leaves_nothing_and_counts_that_agree(
    app: Flask, session: Session
) -> None:
    life = Life(session)
    barrier = Barrier(6)
    gone, others = life.person, life.others

    def steps_of(number: int) -> list[Callable[[Session], object]]:
        other, post_id = others[number], life.posts[number % 3]
        return [
            step
            for _ in range(15)
            for step in (
                lambda s: follow_account(s, actor_id=other, followee_id=gone, now=utc_now()),
                lambda s: like_post(s, post_id=post_id, user_id=other, now=utc_now()),
                lambda s: follow_account(s, actor_id=gone, followee_id=other, now=utc_now()),
                lambda s: like_post(s, post_id=life.others_posts[0], user_id=gone, now=utc_now()),
                lambda s: create_post(s, NewPost(caption="Now"), author_id=gone, now=utc_now()),
                lambda s: media_ready(s, new_id(), gone),
                lambda s: deliver(
                    s, "auth.friends.found.v1", account_id=other, friend_ids=[gone], found_at=utc_now()
                ),
                lambda s: unfollow_account(s, actor_id=gone, followee_id=other, now=utc_now()),
                lambda s: (
                    block_account(s, actor_id=other, blocked_id=gone, now=utc_now()) if number == 3 else None
                ),
            )
        ]

    def work(number: int) -> None:
        steps = steps_of(number)
        barrier.wait(timeout=10)
        act(app, *steps)

    def leave() -> None:
        barrier.wait(timeout=10)
        act(app, lambda s: request_erasure(s, deletion_id=new_id(), account_id=gone, now=utc_now()))
        erase_all(app)

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(leave), *(pool.submit(work, number) for number in range(5))]:
            future.result(timeout=60)
    erase_all(app)

    # Events of what was done before the end come late.
    for event in emitted(session, "social.post.published.v1"):
        deliver(session, "social.post.published.v1", post_id=event["post_id"], author_id=event["author_id"])
    session.commit()
    assert_nothing_is_left(session, gone)
    assert len(emitted(session, "social.account.erased.v1")) == 1


def like_others_post(session: Session, life: Life) -> object:
    return like_post(session, post_id=life.others_posts[0], user_id=life.person, now=utc_now())


def post_something(session: Session, life: Life) -> object:
    return create_post(
        session, NewPost(caption="Snow", media_ids=[new_id()]), author_id=life.person, now=utc_now()
    )


def follow_somebody(session: Session, life: Life) -> object:
    return follow_account(session, actor_id=life.person, followee_id=life.others[4], now=utc_now())


def read_news(session: Session, life: Life) -> None:
    move_read_marker(session, recipient_id=life.person, read_until=utc_now(), now=utc_now())


def hear_of_media(session: Session, life: Life) -> None:
    media_ready(session, new_id(), life.person)


def hear_of_friends(session: Session, life: Life) -> None:
    deliver(
        session,
        "auth.friends.found.v1",
        account_id=life.others[0],
        friend_ids=[life.person],
        found_at=utc_now(),
    )


_DEEDS = [like_others_post, post_something, follow_somebody, read_news, hear_of_media, hear_of_friends]


@pytest.mark.parametrize("deed", _DEEDS)
def test_what_is_under_way_when_they_leave_is_waited_for_and_goes_too(
    app: Flask, session: Session, deed: Callable[[Session, Life], object]
) -> None:
    life = Life(session)
    deed(session, life)

    with ThreadPoolExecutor(1) as pool:
        leaving = pool.submit(leave, app, life.person)
        wait_for_a_waiter(session, leaving)
        assert not leaving.done()
        session.commit()
        leaving.result(timeout=30)

    erase_all(app)
    assert_nothing_is_left(session, life.person)


@pytest.mark.parametrize("deed", _DEEDS)
def test_what_begins_while_they_leave_comes_to_nothing(
    app: Flask, session: Session, deed: Callable[[Session, Life], object]
) -> None:
    life = Life(session)
    before = everything_else(session, new_id())
    request_erasure(session, deletion_id=new_id(), account_id=life.person, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(act, app, lambda s: deed(s, life))
        wait_for_a_waiter(session, doing)
        assert not doing.done()
        session.commit()
        doing.result(timeout=30)

    assert everything_else(session, new_id()) == before


def leave(app: Flask, person: UUID) -> None:
    act(app, lambda s: request_erasure(s, deletion_id=new_id(), account_id=person, now=utc_now()))

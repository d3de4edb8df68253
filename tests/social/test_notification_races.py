"""Many people at once around one author: whatever the order, each group says what its facts do."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING
from uuid import UUID

from factories.social_news import assert_groups_agree, tell
from factories.social_people import LONG_AGO, make_people, make_person
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import IglooError
from igloo_common.ids import new_id
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.comments import add_comment, delete_comment
from igloo_social.operations.follows import follow_account, unfollow_account
from igloo_social.operations.likes import like_post, unlike_post
from igloo_social.operations.notification_batches import withdraw_told_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flask import Flask
    from sqlalchemy.orm import Session

THREADS = 8
STEPS = 25


def run_together(app: Flask, works: Sequence[Callable[[], None]]) -> None:
    """Run each work on a thread of its own, all from the same moment on."""
    start = Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        with app.app_context():
            start.wait(timeout=10)
            work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result(timeout=60)


def test_groups_agree_after_a_stampede_around_one_author(app: Flask, session: Session) -> None:
    author = make_person(session)
    posts = [make_post(session, author) for _ in range(2)]
    fans = make_people(session, 5)
    session.commit()

    def step(dice: random.Random, said: list[UUID]) -> None:
        fan, post_id, now = dice.choice(fans), dice.choice(posts), utc_now()
        with transaction() as own:
            match dice.randrange(8):
                case 0 | 1:
                    like_post(own, post_id=post_id, user_id=fan, now=now)
                case 2:
                    unlike_post(own, post_id=post_id, user_id=fan)
                case 3 | 4:
                    comment, _ = add_comment(own, post_id=post_id, author_id=fan, text="Snow!", now=now)
                    said.append(comment.id)
                case 5 if said:
                    delete_comment(own, comment_id=said.pop(0), user_id=author, now=now)
                case 6:
                    change = dice.choice((follow_account, unfollow_account))
                    change(own, actor_id=fan, followee_id=author, now=now)
                case _:
                    sides = {"actor_id": author, "blocked_id": fan}
                    dice.choice((block_account, unblock_account, unblock_account))(own, **sides, now=now)

    def stampede(seed: int) -> None:
        dice, said = random.Random(seed), list[UUID]()  # noqa: S311 - a shuffle, not a secret
        for _ in range(STEPS):
            try:
                step(dice, said)
            except IglooError:
                continue

    run_together(app, [partial(stampede, seed) for seed in range(THREADS)])

    assert_groups_agree(session)


def test_a_fact_told_from_eight_phones_at_once_is_counted_once(app: Flask, session: Session) -> None:
    author, fan = make_people(session, 2)
    posts = [make_post(session, author) for _ in range(20)]
    session.commit()

    def told() -> None:
        for post in posts:
            with transaction() as own:
                tell(own, author, actor=fan, post=post, at=LONG_AGO)

    run_together(app, [told] * THREADS)

    assert_groups_agree(session)


def test_news_taken_back_in_batches_beside_new_ones_leave_counts_that_agree(
    app: Flask, session: Session
) -> None:
    """Erasures and suspensions take back without the posts' locks, while others tell and take back."""
    author, *leaving = make_people(session, 4)
    fans = make_people(session, 4)
    posts = [make_post(session, author) for _ in range(3)]
    for person in leaving:
        for post in posts:
            tell(session, author, actor=person, post=post, at=utc_now())
            tell(session, author, actor=person, kind="comment", post=post, thing=new_id(), at=utc_now())
    session.commit()

    def leave(person: UUID) -> None:
        while True:
            with transaction() as own:
                if not withdraw_told_of(own, person, limit=1):
                    return

    def like(fan: UUID) -> None:
        for post in posts * 3:
            for again in range(3):
                with transaction() as own:
                    if again == 1:
                        unlike_post(own, post_id=post, user_id=fan)
                    else:
                        like_post(own, post_id=post, user_id=fan, now=utc_now())

    run_together(
        app,
        [partial(leave, person) for person in leaving] + [partial(like, fan) for fan in fans],
    )

    assert_groups_agree(session)

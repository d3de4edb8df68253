"""Suspensions while people go on, and while words of auth and decisions of moderators cross."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.social_moderation import Neighbourhood, miscounted, move_all, reinstate, suspend
from factories.social_people import make_people, make_person
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import IglooError
from igloo_social.jobs.suspensions import move_next
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.comments import add_comment
from igloo_social.operations.follows import follow_account, unfollow_account
from igloo_social.operations.likes import like_post, unlike_post
from igloo_social.operations.suspensions import reinstate_person, suspend_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

BETWEEN = text("""
SELECT (SELECT count(*) FROM relations WHERE relation_type IN ('f', 'r') AND :id IN (from_user, to_user))
    + (SELECT count(*) FROM likes WHERE user_id = :id)
    + (SELECT count(*) FROM comments WHERE author_id = :id AND hidden_by IS NULL AND deleted_at IS NULL)
""")
ASKS_AND_FOLLOWS = text("""
SELECT count(*) FROM relations AS a JOIN relations AS b USING (from_user, to_user)
WHERE a.relation_type = 'f' AND b.relation_type = 'r'
""")


def attempt(app: Flask, *steps: Callable[[Session], object]) -> None:
    with app.app_context():
        for step in steps:
            try:
                with transaction() as session:
                    step(session)
            except IglooError:
                continue


@pytest.mark.parametrize("ends", ["suspended", "reinstated"])
def test_what_is_done_meanwhile_ends_apart_or_back_with_counts_that_agree(
    app: Flask, session: Session, ends: str
) -> None:
    around = Neighbourhood(session, 5, people=5)
    person, others = around.people[0], around.people[1:]
    barrier = Barrier(7)

    def live(number: int) -> None:
        other, chance = others[number], Random(number)  # noqa: S311 - a test repeats it
        post_id = around.posts[(number + 1) * 2]
        own_post = around.posts[0]
        steps: list[Callable[[Session], object]] = [
            lambda s: follow_account(s, actor_id=other, followee_id=person, now=utc_now()),
            lambda s: follow_account(s, actor_id=person, followee_id=other, now=utc_now()),
            lambda s: unfollow_account(s, actor_id=person, followee_id=other, now=utc_now()),
            lambda s: like_post(s, post_id=post_id, user_id=person, now=utc_now()),
            lambda s: unlike_post(s, post_id=post_id, user_id=person),
            lambda s: like_post(s, post_id=own_post, user_id=other, now=utc_now()),
            lambda s: add_comment(s, post_id=post_id, author_id=person, text="Snow", now=utc_now()),
        ]
        if number == 3:
            steps += [
                lambda s: block_account(s, actor_id=other, blocked_id=person, now=utc_now()),
                lambda s: unblock_account(s, actor_id=other, blocked_id=person, now=utc_now()),
            ]
        barrier.wait(timeout=10)
        attempt(app, *(chance.choice(steps) for _ in range(40)))

    def decide() -> None:
        barrier.wait(timeout=10)
        for _ in range(6):
            attempt(app, lambda s: suspend_person(s, user_id=person, now=utc_now()))
            attempt(app, lambda s: reinstate_person(s, user_id=person, now=utc_now()))

    def carry_through() -> None:
        barrier.wait(timeout=10)
        with app.app_context():
            for _ in range(60):
                move_next()

    with ThreadPoolExecutor(7) as pool:
        efforts = [*(pool.submit(live, n) for n in range(4)), pool.submit(decide)]
        for effort in [*efforts, pool.submit(carry_through), pool.submit(carry_through)]:
            effort.result(timeout=60)
    (suspend if ends == "suspended" else reinstate)(session, person)
    session.execute(text("UPDATE account_tasks SET due_at = now() WHERE due_at IS NOT NULL"))
    session.commit()
    move_all(app)

    assert miscounted(session) == []
    assert session.scalar(ASKS_AND_FOLLOWS) == 0
    if ends == "suspended":
        assert session.scalar(BETWEEN, {"id": person}) == 0
    else:
        assert session.scalar(text("SELECT count(*) FROM suspended_relations")) == 0
        assert session.scalar(text("SELECT count(*) FROM suspended_likes")) == 0
        assert session.scalar(text("SELECT count(*) FROM comments WHERE hidden_by = 'suspension'")) == 0


class Auth:
    """The auth service in twenty lines: it owns the truth, and hears and speaks in order, but late."""

    def __init__(self, session: Session, account_id: UUID) -> None:
        self._session, self._account_id = session, account_id
        self.is_suspended = False
        self._heard = 0
        self._to_say: deque[bool] = deque()

    def change(self, is_suspended: bool) -> None:
        """Suspend or reinstate, and say so if anything changed."""
        if self.is_suspended is not is_suspended:
            self.is_suspended = is_suspended
            self._to_say.append(is_suspended)

    def hear(self) -> bool:
        """Apply the next of social's events; False when there is none."""
        self._session.rollback()
        found = self._session.scalars(
            text(
                "SELECT type FROM outbox WHERE type LIKE 'social.suspension.%' ORDER BY id OFFSET :n LIMIT 1"
            ),
            {"n": self._heard},
        ).one_or_none()
        if found is None:
            return False
        self._heard += 1
        self.change(found == "social.suspension.decided.v1")
        return True

    def say(self) -> bool:
        """Have social hear the next word; False when there is none."""
        if not self._to_say:
            return False
        (suspend if self._to_say.popleft() else reinstate)(self._session, self._account_id)
        return True


@pytest.mark.parametrize("seed", range(8))
def test_however_decisions_and_words_cross_the_last_of_auth_holds(
    app: Flask, client: FlaskClient, session: Session, seed: int
) -> None:
    around = Neighbourhood(session, seed, people=3)
    person, moderator = around.people[1], make_person(session)
    reports = []
    for reporter in make_people(session, 2):
        session.commit()
        for kind, target in (("user", person), ("post", around.posts[2])):
            body = {"target_kind": kind, "target_id": str(target), "reason": "spam"}
            reply = client.post("/v1/reports", json=body, headers=bearer(reporter))
            reports.append(reply.get_json()["id"])
    auth, chance = Auth(session, person), Random(seed)  # noqa: S311 - a test repeats it

    def decide(word: Literal["resolve", "reopen"]) -> None:
        body = {"resolution": "suspend_account"} if word == "resolve" else {}
        path = f"/v1/moderation/reports/{chance.choice(reports)}/{word}"
        reply = client.post(path, json=body, headers=bearer(moderator, scopes="moderator"))
        assert reply.status_code == 200

    def carry_on() -> None:
        with app.app_context():
            move_next()

    for _ in range(30):
        chance.choice(
            (
                lambda: decide("resolve"),
                lambda: decide("reopen"),
                lambda: auth.change(chance.random() < 0.5),
                auth.hear,
                auth.say,
                auth.say,
                carry_on,
                carry_on,
            )
        )()
        assert miscounted(session) == []
    while auth.hear() or auth.say():
        continue
    move_all(app)

    session.rollback()
    suspended = text("SELECT suspended_at IS NOT NULL FROM profiles WHERE user_id = :id")
    assert session.scalar(suspended, {"id": person}) is auth.is_suspended
    assert (session.scalar(BETWEEN, {"id": person}) == 0) is auth.is_suspended
    assert miscounted(session) == []

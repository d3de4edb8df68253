"""Many threads at once, on real connections: whatever the order, what is left agrees."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic, sleep
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from factories.social_events import relation_changes
from factories.social_people import make_people, make_person, relate
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import IglooError
from igloo_social.db import db
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.follow_requests import accept_request, lock_with_requesters, reject_request
from igloo_social.operations.follows import follow_account, remove_follower, unfollow_account
from igloo_social.operations.likes import like_post, unlike_post
from igloo_social.operations.mutes import mute_account, unmute_account
from igloo_social.operations.profiles import ProfileEdit, edit_profile

THREADS = 8

Step = Callable[[Session], object]

_DRIFT = """
SELECT p.user_id FROM profiles p WHERE
    p.follower_count <>
        (SELECT count(*) FROM relations r WHERE r.to_user = p.user_id AND r.relation_type = 'f')
    OR p.following_count <>
        (SELECT count(*) FROM relations r WHERE r.from_user = p.user_id AND r.relation_type = 'f')
"""
# Edges that cannot stand side by side, and requests to public accounts.
_IMPOSSIBLE = """
SELECT a.* FROM relations a JOIN relations b
    ON b.relation_type = 'b' AND a.relation_type IN ('f', 'r')
    AND ((a.from_user, a.to_user) IN ((b.from_user, b.to_user), (b.to_user, b.from_user)))
UNION ALL
SELECT a.* FROM relations a JOIN relations b
    ON a.from_user = b.from_user AND a.to_user = b.to_user AND a.relation_type = 'f' AND b.relation_type = 'r'
UNION ALL
SELECT a.* FROM relations a JOIN profiles p ON p.user_id = a.to_user
    WHERE a.relation_type = 'r' AND NOT p.is_private
"""
# What a block leaves nothing of: likes of each other's posts, and news of each other.
_TRACES = """
SELECT 'like', likes.user_id, posts.author_id FROM likes
JOIN posts ON posts.id = likes.post_id
JOIN relations ON relation_type = 'b'
    AND (from_user, to_user) IN ((likes.user_id, posts.author_id), (posts.author_id, likes.user_id))
UNION ALL
SELECT kind, recipient_id, actor_id FROM notifications
JOIN relations ON relation_type = 'b'
    AND (from_user, to_user) IN ((recipient_id, actor_id), (actor_id, recipient_id))
"""
_LIKE_DRIFT = """
SELECT id FROM posts WHERE like_count <> (SELECT count(*) FROM likes WHERE post_id = posts.id)
"""
# News of what is no longer so.
_STALE_NEWS = """
SELECT * FROM notifications WHERE kind <> 'like' AND NOT EXISTS (
    SELECT FROM relations WHERE
        (kind, from_user, to_user, relation_type::text) IN (
            ('follow', actor_id, recipient_id, 'f'),
            ('follow_request', actor_id, recipient_id, 'r'),
            ('follow_accepted', recipient_id, actor_id, 'f')
        )
)
"""


def assert_consistent(session: Session) -> None:
    session.rollback()
    assert session.execute(text(_DRIFT)).all() == []
    assert session.execute(text(_IMPOSSIBLE)).all() == []
    assert session.execute(text(_TRACES)).all() == []
    assert session.execute(text(_LIKE_DRIFT)).all() == []
    assert session.execute(text(_STALE_NEWS)).all() == []


def assert_events_tell_the_edges(session: Session) -> None:
    """Replaying every announced change must lead to exactly the edges that are there."""
    replayed: set[tuple[str, str, str]] = set()
    for from_user, kind, to_user, change in relation_changes(session):
        edge = (from_user, kind, to_user)
        assert (edge in replayed) is (change == "removed"), f"{change} was announced for nothing: {edge}"
        replayed ^= {edge}
    rows = session.execute(text("SELECT from_user, relation_type, to_user FROM relations"))
    assert replayed == {(str(row.from_user), row.relation_type, str(row.to_user)) for row in rows}


def run_together(app: Flask, *threads: list[Step]) -> None:
    """Run each list of steps on a thread, each step in a transaction; refusals are answers like any other."""
    barrier = Barrier(len(threads))

    def work(steps: list[Step]) -> None:
        with app.app_context():
            barrier.wait(timeout=10)
            for step in steps:
                try:
                    with transaction() as session:
                        step(session)
                except IglooError:
                    continue

    with ThreadPoolExecutor(len(threads)) as pool:
        for future in [pool.submit(work, steps) for steps in threads]:
            future.result(timeout=60)


def wait_until_blocked(session: Session) -> None:
    """Wait until another connection waits for a lock that the session holds."""
    deadline = monotonic() + 10
    # Not pg_stat_activity: after the first look, a transaction goes on seeing the backends of that moment.
    blocked = text(
        "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    while session.execute(blocked).first() is None:
        assert monotonic() < deadline, "nobody waited for the session's lock within 10 s"
        sleep(0.01)


def follow(a: UUID, b: UUID) -> Step:
    return lambda session: follow_account(session, actor_id=a, followee_id=b, now=utc_now())


def unfollow(a: UUID, b: UUID) -> Step:
    return lambda session: unfollow_account(session, actor_id=a, followee_id=b, now=utc_now())


def block(a: UUID, b: UUID) -> Step:
    return lambda session: block_account(session, actor_id=a, blocked_id=b, now=utc_now())


def unblock(a: UUID, b: UUID) -> Step:
    return lambda session: unblock_account(session, actor_id=a, blocked_id=b, now=utc_now())


def accept(a: UUID, b: UUID) -> Step:
    return lambda session: accept_request(session, actor_id=a, requester_id=b, now=utc_now())


def reject(a: UUID, b: UUID) -> Step:
    return lambda session: reject_request(session, actor_id=a, requester_id=b, now=utc_now())


def remove(a: UUID, b: UUID) -> Step:
    return lambda session: remove_follower(session, actor_id=a, follower_id=b, now=utc_now())


def mute(a: UUID, b: UUID) -> Step:
    return lambda session: mute_account(session, actor_id=a, muted_id=b, duration=None, now=utc_now())


def unmute(a: UUID, b: UUID) -> Step:
    return lambda session: unmute_account(session, actor_id=a, muted_id=b, now=utc_now())


def set_private(a: UUID, is_private: bool) -> Step:
    edit = ProfileEdit(is_private=is_private)
    return lambda session: edit_profile(session, user_id=a, edit=edit, expected_versions=None, now=utc_now())


def test_the_same_follow_from_eight_phones_is_one_follow(app: Flask, session: Session) -> None:
    a, b = make_people(session, 2)
    session.commit()

    run_together(app, *[[follow(a, b)] for _ in range(THREADS)])

    assert_consistent(session)
    assert relation_changes(session) == [(str(a), "f", str(b), "created")]
    told = session.scalar(text("SELECT count(*) FROM notifications"))
    assert told == 1


def test_eight_followers_at_once_are_eight(app: Flask, session: Session) -> None:
    popular = make_person(session, follower_count=0)
    followers = make_people(session, THREADS)
    session.commit()

    run_together(app, *[[follow(follower, popular)] for follower in followers])

    assert_consistent(session)
    assert len(relation_changes(session)) == THREADS


def test_a_large_account_is_counted_exactly_too(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    popular = make_person(session)
    followers = make_people(session, 230)
    for follower in followers[:215]:
        session.execute(
            text("INSERT INTO relations VALUES (:a, :b, 'f', now())"), {"a": follower, "b": popular}
        )
    session.execute(text("UPDATE profiles SET follower_count = 215 WHERE user_id = :id"), {"id": popular})
    session.execute(
        text("UPDATE profiles SET following_count = 1 WHERE user_id IN (SELECT from_user FROM relations)")
    )
    session.commit()

    run_together(
        app,
        *[[unfollow(follower, popular), follow(follower, popular)] for follower in followers[:4]],
        *[[follow(follower, popular)] for follower in followers[215:219]],
    )

    assert_consistent(session)


def test_two_people_who_follow_each_other_at_once_do_not_deadlock(app: Flask, session: Session) -> None:
    a, b = make_people(session, 2)
    session.commit()

    run_together(
        app,
        *[[follow(a, b), unfollow(a, b)] * 10 for _ in range(THREADS // 2)],
        *[[follow(b, a), unfollow(b, a)] * 10 for _ in range(THREADS // 2)],
    )

    assert_consistent(session)
    assert_events_tell_the_edges(session)


def test_no_follow_survives_a_block(app: Flask, session: Session) -> None:
    pairs = [tuple(make_people(session, 2)) for _ in range(40)]
    session.commit()

    run_together(
        app,
        *[[follow(a, b) for a, b in pairs] for _ in range(3)],
        *[[follow(b, a) for a, b in pairs] for _ in range(3)],
        *[[block(a, b) for a, b in pairs] for _ in range(2)],
    )

    assert_consistent(session)
    assert_events_tell_the_edges(session)
    assert session.scalar(text("SELECT count(*) FROM relations WHERE relation_type = 'b'")) == len(pairs)
    assert session.scalar(text("SELECT count(*) FROM notifications")) == 0


def test_nobody_is_left_asking_when_an_account_goes_public(app: Flask, session: Session) -> None:
    owner = make_person(session, is_private=True)
    askers = make_people(session, 40)
    for asker in askers[:10]:
        relate(session, asker, "r", owner)
    session.execute(text("DELETE FROM outbox"))
    session.commit()

    run_together(
        app,
        *[[follow(asker, owner) for asker in askers[number::7]] for number in range(7)],
        [set_private(owner, False), set_private(owner, True), set_private(owner, False)],
    )

    assert_consistent(session)
    assert session.scalar(text("SELECT count(*) FROM relations WHERE relation_type = 'f'")) == len(askers)


def test_who_asks_just_before_the_lock_is_locked_too(app: Flask, session: Session) -> None:
    owner, early, late = make_person(session, is_private=True), *make_people(session, 2)
    relate(session, early, "r", owner)
    session.commit()
    follow(late, owner)(session)  # Holds the owner's lock, and is not visible yet.
    unlocked = text("SELECT user_id FROM profiles FOR NO KEY UPDATE SKIP LOCKED")
    seen: list[object] = []

    def lock_and_look(locking: Session) -> None:
        seen.append(set(lock_with_requesters(locking, owner)))
        with db.engine.connect() as beside:
            seen.extend(beside.scalars(unlocked))

    with ThreadPoolExecutor(1) as pool:
        locked = pool.submit(run_together, app, [lock_and_look])
        wait_until_blocked(session)
        session.commit()
        locked.result(timeout=30)

    assert seen == [{early, late}]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thousands_of_changes_among_a_few_people_leave_a_graph_that_agrees(
    app: Flask, session: Session, seed: int
) -> None:
    people = [make_person(session, is_private=number % 3 == 0) for number in range(6)]
    posts = {person: make_post(session, person) for person in people}
    session.commit()
    chance = random.Random(seed)  # noqa: S311 - a repeatable test and no secret

    def like(a: UUID, b: UUID) -> Step:
        return lambda session: like_post(session, post_id=posts[b], user_id=a, now=utc_now())

    def unlike(a: UUID, b: UUID) -> Step:
        return lambda session: unlike_post(session, post_id=posts[b], user_id=a)

    often = [follow, follow, follow, like, like]
    verbs = [*often, unfollow, remove, block, unblock, unblock, accept, reject, mute, unmute, unlike]

    def step() -> Step:
        if chance.random() < 0.05:
            return set_private(chance.choice(people), chance.random() < 0.5)
        a, b = chance.sample(people, 2)
        return chance.choice(verbs)(a, b)

    run_together(app, *[[step() for _ in range(90)] for _ in range(THREADS)])

    assert_consistent(session)
    assert_events_tell_the_edges(session)

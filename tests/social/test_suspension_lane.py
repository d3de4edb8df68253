"""People who are suspended and reinstated: everything around them set apart, and put back as it was."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.social_accounts import delete_account, erase_all, rows_naming
from factories.social_events import relation_changes
from factories.social_moderation import (
    Neighbourhood,
    miscounted,
    move_all,
    reinstate,
    say,
    state_of_everything,
    suspend,
)
from factories.social_people import add_noise, make_people, make_person, relate
from factories.social_posts import deliver, like, make_post
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.suspensions import move_next
from igloo_social.operations import suspended_relations, suspended_traces
from igloo_social.operations.account_tasks import lock_due_suspension
from igloo_social.operations.suspensions import move_batch

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session


# The tombstone and its like; and what phones look at again names an author for a week.
MAY_NAME_THEM = {"profiles", "account_tasks", "outbox", "event_sequences", "feed_changes"}
APART = text("SELECT count(*) FROM (SELECT FROM suspended_relations UNION ALL SELECT FROM suspended_likes) a")


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a person moved in many steps, so that there is much to interrupt."""
    monkeypatch.setattr(suspended_relations, "PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(suspended_traces, "POSTS_AT_ONCE", 1)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("seed", range(4))
def test_a_suspension_taken_back_leaves_every_count_and_row_as_it_was(
    app: Flask, session: Session, seed: int
) -> None:
    around = Neighbourhood(session, seed)
    before = state_of_everything(session)
    assert all(rows for table, rows in before.items() if table != "apart")
    person = around.people[seed]

    suspend(session, person)
    with app.app_context():
        while move_next():
            assert miscounted(session) == [], "at every moment, counts agree with what is listed"
    apart = state_of_everything(session)
    reinstate(session, person)
    with app.app_context():
        while move_next():
            assert miscounted(session) == []

    assert apart["apart"]
    for table in ("relations", "likes"):
        assert not [row for row in apart[table] if str(person) in row and ",m," not in row]
    assert state_of_everything(session) == before


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("seed", range(6))
def test_suspensions_of_several_that_cross_end_as_the_last_word_says(
    app: Flask, session: Session, seed: int
) -> None:
    around = Neighbourhood(session, seed, people=4)
    before = state_of_everything(session)
    chance = Random(seed)  # noqa: S311 - a test repeats it

    for _ in range(12):
        chance.choice((suspend, reinstate))(session, chance.choice(around.people[:3]))
        with app.app_context():
            for _ in range(chance.randrange(6)):
                move_next()
        assert miscounted(session) == []
    for person in around.people:
        reinstate(session, person)
    move_all(app)

    assert state_of_everything(session) == before


def test_others_read_counts_that_agree_with_their_lists_from_the_first_moment_on(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    bystander, person, other = make_people(session, 3)
    add_noise(session, bystander, person, other)
    for one, another in ((person, other), (other, person), (bystander, person), (bystander, other)):
        relate(session, one, "f", another)
    post_id = make_post(session, other)
    for one in (person, bystander):
        like(session, one, post_id)
        say(session, one, post_id)
    session.commit()
    headers = bearer(bystander)

    def seen() -> tuple[int, int, int, int, int, int]:
        profile = client.get(f"/v1/users/{other}", headers=headers).get_json()
        post = client.get(f"/v1/posts/{post_id}", headers=headers).get_json()
        lists = [
            len(client.get(f"/v1/{path}?limit=100", headers=headers).get_json()["data"])
            for path in (f"users/{other}/followers", f"users/{other}/following", f"posts/{post_id}/likes")
        ]
        return (
            profile["follower_count"],
            lists[0],
            profile["following_count"],
            lists[1],
            post["like_count"],
            lists[2],
        )

    before = seen()
    suspend(session, person)
    at_once = seen()
    move_all(app)
    after = seen()
    reinstate(session, person)
    move_all(app)

    assert before[::2] == before[1::2]
    assert at_once[::2] == at_once[1::2]
    assert at_once == tuple(count - 1 for count in before)
    assert after == at_once
    assert seen() == before


def test_a_suspended_person_is_nowhere_and_can_do_nothing(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    person, other = make_people(session, 2)
    post_id, others_post = make_post(session, person), make_post(session, other)
    session.commit()
    suspend(session, person)

    for path in (f"/v1/users/{person}", f"/v1/posts/{post_id}", f"/v1/users/{person}/posts"):
        assert client.get(path, headers=bearer(other)).status_code == 404
    assert client.put(f"/v1/users/{person}/follow", headers=bearer(other)).status_code == 404
    for method, path, body in (
        ("PUT", f"/v1/users/{other}/follow", None),
        ("PUT", f"/v1/posts/{others_post}/like", None),
        ("POST", "/v1/posts", {"caption": "Snow"}),
    ):
        reply = client.open(path, method=method, json=body, headers=bearer(person))
        assert reply.status_code == 404, path


def test_an_account_never_seen_is_suspended_before_its_first_event(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    newcomer = new_id()
    suspend(session, newcomer)
    deliver(session, "auth.account.created.v1", account_id=newcomer, display_name="Hare", picture_url=None)
    session.commit()
    assert client.get(f"/v1/users/{newcomer}").status_code == 404

    reinstate(session, newcomer)
    move_all(app)

    assert client.get(f"/v1/users/{newcomer}").get_json()["display_name"] == "Hare"


def test_events_that_come_again_change_nothing(app: Flask, session: Session) -> None:
    person = make_person(session)
    session.commit()
    tasks = text("SELECT kind FROM account_tasks ORDER BY requested_at")

    for handle in (reinstate, suspend, suspend, reinstate, reinstate):
        handle(session, person)

    assert session.scalars(tasks).all() == ["suspension", "reinstatement"]
    assert move_all(app) == 1, "the suspension is over before its turn came"


def test_feeds_are_filled_again_and_phones_look_again(app: Flask, session: Session) -> None:
    follower, person, followee = make_people(session, 3)
    relate(session, follower, "f", person)
    relate(session, person, "f", followee)
    relate(session, make_person(session), "r", person)
    session.execute(text("UPDATE profiles SET is_private = true WHERE user_id = :id"), {"id": person})
    session.commit()

    suspend(session, person)
    move_all(app)
    looked_at = session.execute(text("SELECT owner_id, subject_id, kind FROM feed_changes")).all()
    reinstate(session, person)
    move_all(app)

    assert set(map(tuple, looked_at)) == {(follower, person, "a")}
    assert sorted(relation_changes(session)) == sorted(
        [(str(follower), "f", str(person), "created"), (str(person), "f", str(followee), "created")]
    )


def test_followers_of_a_popular_account_are_put_back_as_those_who_read_its_posts(
    app: Flask, session: Session
) -> None:
    star, follower = make_people(session, 2)
    relate(session, follower, "f", star)
    session.commit()
    suspend(session, follower)
    move_all(app)
    session.execute(text("UPDATE profiles SET merged_at_read = true WHERE user_id = :id"), {"id": star})
    session.commit()

    reinstate(session, follower)
    move_all(app)

    assert session.scalars(text("SELECT is_merged FROM relations")).all() == [True]


def edges(session: Session) -> set[tuple[UUID, str, UUID]]:
    session.rollback()
    rows = session.execute(text("SELECT from_user, relation_type, to_user FROM relations"))
    return {(row[0], row[1], row[2]) for row in rows}


def test_what_changed_meanwhile_is_respected(app: Flask, session: Session) -> None:
    person, blocker, left, opened, again, asked_anew = make_people(session, 6)
    session.execute(text("UPDATE profiles SET is_private = true WHERE user_id = :id"), {"id": opened})
    relate(session, person, "f", blocker)
    relate(session, left, "f", person)
    relate(session, person, "r", opened)
    relate(session, again, "r", person)
    relate(session, asked_anew, "f", person)
    blockers_post, deleted_post = make_post(session, blocker), make_post(session, again)
    like(session, person, blockers_post)
    like(session, person, deleted_post)
    session.commit()
    suspend(session, person)
    move_all(app)

    session.execute(text("INSERT INTO relations VALUES (:a, :b, 'b', now())"), {"a": blocker, "b": person})
    delete_account(session, left)
    session.execute(text("UPDATE profiles SET is_private = false WHERE user_id = :id"), {"id": opened})
    session.execute(text("UPDATE posts SET deleted_at = now() WHERE id = :id"), {"id": deleted_post})
    session.commit()
    reinstate(session, person)
    # Between the word and the lane's work, some found the person again by themselves.
    relate(session, again, "f", person)
    relate(session, asked_anew, "r", person)
    session.commit()
    move_all(app)

    assert edges(session) == {
        (blocker, "b", person),
        (person, "f", opened),
        (again, "f", person),
        (asked_anew, "f", person),
    }
    assert session.scalar(text("SELECT count(*) FROM likes")) == 0
    assert session.scalar(APART) == 0
    assert miscounted(session) == []


def test_an_edge_between_two_suspended_people_comes_back_with_the_last_of_them(
    app: Flask, session: Session
) -> None:
    one, other = make_people(session, 2)
    relate(session, one, "f", other)
    relate(session, other, "f", one)
    session.commit()
    for person in (one, other):
        suspend(session, person)
        move_all(app)

    reinstate(session, one)
    move_all(app)
    assert edges(session) == set()
    reinstate(session, other)
    move_all(app)

    assert edges(session) == {(one, "f", other), (other, "f", one)}
    assert session.scalar(APART) == 0
    assert miscounted(session) == []


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("steps", [0, 1, 3, 5, 50])
def test_a_suspended_person_who_leaves_is_erased_whole(app: Flask, session: Session, steps: int) -> None:
    around = Neighbourhood(session, 1, people=4, with_comments=False)
    person = around.people[0]
    suspend(session, person)
    with app.app_context():
        for _ in range(steps):
            move_next()

    delete_account(session, person)
    move_all(app)
    erase_all(app)
    reinstate(session, person)
    move_all(app)

    assert set(rows_naming(session, person)) <= MAY_NAME_THEM
    assert miscounted(session) == []


def test_who_left_is_not_suspended_any_more(app: Flask, session: Session) -> None:
    person = make_person(session)
    relate(session, make_person(session), "f", person)
    session.commit()
    delete_account(session, person)

    suspend(session, person)
    move_all(app)

    assert session.scalar(text("SELECT count(*) FROM account_tasks WHERE kind <> 'erasure'")) == 0
    assert session.scalar(text("SELECT count(*) FROM relations")) == 1, "the erasure's own to remove"


@pytest.mark.usefixtures("small_batches")
def test_what_is_between_a_suspended_and_a_deleted_person_goes_with_the_deleted(
    app: Flask, session: Session
) -> None:
    around = Neighbourhood(session, 2, people=4, with_comments=False)
    person, leaver = around.people[:2]
    suspend(session, person)
    move_all(app)

    delete_account(session, leaver)
    erase_all(app)
    reinstate(session, person)
    move_all(app)

    assert set(rows_naming(session, leaver)) <= MAY_NAME_THEM
    assert session.scalar(APART) == 0
    assert miscounted(session) == []


@pytest.mark.usefixtures("small_batches")
def test_a_suspension_broken_off_anywhere_ends_the_same(app: Flask, session: Session) -> None:
    around = Neighbourhood(session, 3, people=4)
    before = state_of_everything(session)
    for handle in (suspend, reinstate):
        handle(session, around.people[0])
        more = True
        with app.app_context():
            while more:
                # A worker that dies before its COMMIT: none of the batch happened.
                dying = lock_due_suspension(session, now=utc_now())
                if dying is not None:
                    move_batch(session, dying, now=utc_now())
                session.rollback()
                more = move_next()
                assert miscounted(session) == []

    assert state_of_everything(session) == before

"""Who may have which username, when, and what becomes of the one before."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from factories.social_people import add_noise, make_person
from factories.tokens import bearer
from factories.waiting import wait_for_a_waiter
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.profiles import ProfileEdit, edit_profile, merge_account, see_person
from igloo_social.operations.usernames import UsernameChangedRecently, UsernameTaken
from igloo_social.policies.usernames import candidates, placeholder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)


def choose(session: Session, person: UUID, username: str, *, now: datetime = NOW) -> None:
    """Change the person's username, and commit; a refusal leaves nothing behind."""
    try:
        edit_profile(
            session, user_id=person, edit=ProfileEdit(username=username), expected_versions=None, now=now
        )
        session.commit()
    except Exception:
        session.rollback()
        raise


def usernames_of(session: Session) -> dict[UUID, str]:
    session.rollback()
    return {row.user_id: row.username for row in session.execute(text("SELECT * FROM profiles"))}


def former_usernames(session: Session) -> dict[str, UUID]:
    session.rollback()
    return {row.username: row.user_id for row in session.execute(text("SELECT * FROM former_usernames"))}


def patch(client: FlaskClient, person: UUID, username: str) -> TestResponse:
    return client.patch("/v1/users/me", json={"username": username}, headers=bearer(person))


def test_the_first_choice_is_free_at_once_and_the_next_a_fortnight_later(
    client: FlaskClient, session: Session
) -> None:
    person = make_person(session, username="hare_k4f")
    add_noise(session, person)
    session.commit()

    first, again = patch(client, person, "hare"), patch(client, person, "snow.hare")

    assert first.status_code == 200
    problem = again.get_json()
    assert (again.status_code, problem["code"]) == (409, "username_changed_recently")
    assert problem["errors"][0]["pointer"] == "/username"
    wait = datetime.fromisoformat(problem["changeable_at"]) - utc_now()
    assert timedelta(days=13, hours=23) < wait <= FORTNIGHT
    assert usernames_of(session)[person] == "hare"


def test_a_fortnight_is_exactly_that(session: Session) -> None:
    person = make_person(session, username="hare", username_changed_at=NOW)
    session.commit()

    with pytest.raises(UsernameChangedRecently):
        choose(session, person, "snow.hare", now=NOW + FORTNIGHT - timedelta(microseconds=1))
    choose(session, person, "snow.hare", now=NOW + FORTNIGHT)

    assert usernames_of(session)[person] == "snow.hare"


def test_to_choose_what_one_has_is_no_change(client: FlaskClient, session: Session) -> None:
    person = make_person(session, username="hare", username_changed_at=utc_now())
    session.commit()

    assert patch(client, person, "Hare").status_code == 200
    assert former_usernames(session) == {}


def test_a_refused_username_changes_nothing_else_either(client: FlaskClient, session: Session) -> None:
    person = make_person(session, bio="Old", username_changed_at=utc_now())
    session.commit()

    reply = client.patch("/v1/users/me", json={"username": "new", "bio": "New"}, headers=bearer(person))

    assert reply.status_code == 409
    assert client.get("/v1/users/me", headers=bearer(person)).get_json()["bio"] == "Old"


@pytest.mark.parametrize("gone", ["", "deleted_at", "suspended_at"])
def test_a_former_username_is_its_owners_alone(session: Session, client: FlaskClient, gone: str) -> None:
    owner, other = make_person(session, username="hare"), make_person(session)
    session.commit()
    choose(session, owner, "snow.hare")
    if gone:
        session.execute(update(PROFILES).where(PROFILES.c.user_id == owner).values({gone: NOW}))
        session.commit()

    former, present = patch(client, other, "HARE"), patch(client, other, "snow.hare")

    ids = [reply.get_json().pop("request_id") for reply in (former, present)]
    bodies = [{**reply.get_json(), "request_id": ""} for reply in (former, present)]
    assert len(set(ids)) == 2
    assert bodies[0] == bodies[1]
    assert (former.status_code, bodies[0]["code"]) == (409, "username_taken")
    assert bodies[0]["errors"][0]["pointer"] == "/username"


def test_the_owner_takes_a_former_username_back_as_a_change_like_any(session: Session) -> None:
    owner, other = make_person(session, username="hare"), make_person(session)
    session.commit()
    choose(session, owner, "snow.hare")

    with pytest.raises(UsernameChangedRecently):
        choose(session, owner, "hare", now=NOW + timedelta(days=1))
    choose(session, owner, "hare", now=NOW + FORTNIGHT)

    assert former_usernames(session) == {"snow.hare": owner}
    with pytest.raises(UsernameTaken):
        choose(session, other, "snow.hare")


def test_usernames_that_are_made_avoid_former_ones(session: Session) -> None:
    user_id, owner = new_id(), make_person(session, username="hare")
    first, second = (name for name, _ in zip(candidates("Snow Hare", user_id), range(2), strict=False))
    for number, username in enumerate((first, placeholder(user_id), "snow.hare")):
        session.commit()
        choose(session, owner, username, now=NOW + number * FORTNIGHT)

    see_person(session, user_id=user_id, now=NOW)
    session.commit()
    seen = usernames_of(session)[user_id]
    assert seen not in former_usernames(session)
    merged = new_id()
    merge_account(session, account_id=merged, display_name="Snow Hare", picture_url=None, now=NOW)
    session.commit()
    assert usernames_of(session)[merged] == next(candidates("Snow Hare", merged))
    assert seen != second  # It is made of the placeholder, for the name is not known yet.


def test_a_made_username_that_was_anothers_makes_way_for_the_next(session: Session) -> None:
    user_id, owner = new_id(), make_person(session, username="hare")
    first, second = (name for name, _ in zip(candidates("Snow Hare", user_id), range(2), strict=False))
    session.commit()
    choose(session, owner, first)
    choose(session, owner, "hare", now=NOW + FORTNIGHT)

    merge_account(session, account_id=user_id, display_name="Snow Hare", picture_url=None, now=NOW)
    session.commit()

    assert usernames_of(session)[user_id] == second
    choose(session, user_id, "puffin")  # What was made for a person is not their choice.


def test_the_index_lets_nobody_past_a_username_that_was_just_left(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, other = make_person(session, username="hare"), make_person(session)
    session.commit()
    # Without the first look, which would refuse at once: as if the owner had left right after it.
    monkeypatch.setattr("igloo_social.operations.profiles.refuse_early_change", lambda *_, **__: None)

    def take() -> object:
        with app.app_context():
            try:
                with transaction() as mine:
                    edit = ProfileEdit(username="hare")
                    edit_profile(mine, user_id=other, edit=edit, expected_versions=None, now=NOW)
            except UsernameTaken:
                return "taken"
        return "got it"

    edit = ProfileEdit(username="snow.hare")
    edit_profile(session, user_id=owner, edit=edit, expected_versions=None, now=NOW)
    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(take)
        wait_for_a_waiter(session, effort)
        session.commit()
        assert effort.result(timeout=10) == "taken"
    assert usernames_of(session) == {owner: "snow.hare", other: usernames_of(session)[other]}


def test_eight_people_at_once_leave_every_username_with_one_owner(app: Flask, session: Session) -> None:
    names = ["hare", "fox", "puffin", "walrus"]
    people = [make_person(session, username=name) for name in names] + [make_person(session) for _ in names]
    session.commit()
    barrier, unexpected = Barrier(len(people)), []

    def wander(place: int) -> None:
        barrier.wait(timeout=10)
        for turn in range(25):
            wanted = (*names, f"own_{place}")[(place + turn) % 5]
            try:
                with app.app_context(), transaction() as mine:
                    edit_profile(
                        mine,
                        user_id=people[place],
                        edit=ProfileEdit(username=wanted),
                        expected_versions=None,
                        now=NOW + turn * FORTNIGHT,
                    )
            except UsernameTaken:
                continue
            except Exception as error:  # noqa: BLE001 - a deadlock, say: told by the assertion below
                unexpected.append(error)

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(wander, range(len(people))))

    present, former = usernames_of(session), former_usernames(session)
    assert unexpected == []
    for person, username in present.items():
        assert former.get(username) in (None, person)
    # Each of the four first owners has held on to their name, in use or in reserve.
    for person, name in zip(people, names, strict=False):
        assert former.get(name, person) == person
        assert present[person] == name or former[name] == person

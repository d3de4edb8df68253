from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from factories.social_people import make_person
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.first_sight import FirstSight
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.profiles import merge_account, see_person
from igloo_social.policies.usernames import candidates, placeholder

NOW = datetime(2025, 5, 6, 7, 8, 9, tzinfo=UTC)


def merge(session: Session, account_id: UUID, name: str = "Snow Hare") -> None:
    merge_account(
        session, account_id=account_id, display_name=name, picture_url="https://a.test/hare.jpg", now=NOW
    )
    session.commit()


def profile(session: Session, user_id: UUID) -> dict[str, object]:
    session.rollback()
    return dict(session.execute(select(PROFILES).where(PROFILES.c.user_id == user_id)).one()._mapping)


def test_a_token_that_beats_its_event_makes_a_profile(client: FlaskClient, session: Session) -> None:
    user_id = new_id()

    reply = client.get("/v1/users/me", headers=bearer(user_id))

    assert reply.status_code == 200
    assert reply.get_json()["username"] == placeholder(user_id)


def test_any_route_makes_it_and_so_a_newcomer_can_follow(client: FlaskClient, session: Session) -> None:
    other = make_person(session)
    session.commit()

    assert client.put(f"/v1/users/{other}/follow", headers=bearer(new_id())).status_code == 200


def test_the_event_gives_a_seen_person_their_name(client: FlaskClient, session: Session) -> None:
    user_id = new_id()
    client.get("/v1/users/me", headers=bearer(user_id))

    merge(session, user_id)

    shown = client.get("/v1/users/me", headers=bearer(user_id)).get_json()
    assert (shown["display_name"], shown["avatar_url"]) == ("Snow Hare", "https://a.test/hare.jpg")
    assert shown["username"] == next(candidates("Snow Hare", user_id))


def test_the_event_makes_a_person_who_was_not_seen(session: Session) -> None:
    user_id = new_id()

    merge(session, user_id, "  북극토끼\u202e ")

    after = profile(session, user_id)
    assert after["display_name"] == "북극토끼"
    assert str(after["username"]).startswith("user_")


def test_what_a_person_chose_is_not_overwritten_by_the_event(client: FlaskClient, session: Session) -> None:
    user_id = new_id()
    client.patch("/v1/users/me", json={"display_name": "M", "username": "mimi"}, headers=bearer(user_id))

    merge(session, user_id)

    after = profile(session, user_id)
    assert (after["display_name"], after["username"]) == ("M", "mimi")
    assert after["avatar_url"] == "https://a.test/hare.jpg"


def test_the_event_again_changes_nothing(session: Session) -> None:
    user_id = new_id()
    merge(session, user_id)
    before = profile(session, user_id)

    merge(session, user_id, "Another Name")

    assert profile(session, user_id) == before


def test_a_deleted_person_comes_back_neither_by_token_nor_by_event(
    client: FlaskClient, session: Session
) -> None:
    user_id = make_person(session, deleted_at=NOW)
    session.commit()
    before = profile(session, user_id)

    merge(session, user_id)

    assert client.get("/v1/users/me", headers=bearer(user_id)).status_code == 404
    assert profile(session, user_id) == before


@pytest.mark.parametrize("taken", [1, 3])
def test_a_username_that_is_taken_makes_way_for_the_next(session: Session, taken: int) -> None:
    user_id = new_id()
    proposals = [name for name, _ in zip(candidates("Snow Hare", user_id), range(taken + 1), strict=False)]
    for name in proposals[:taken]:
        make_person(session, username=name)

    merge(session, user_id)

    assert profile(session, user_id)["username"] == proposals[taken]


def test_a_placeholder_that_is_taken_keeps_nobody_out(session: Session) -> None:
    user_id = new_id()
    make_person(session, username=placeholder(user_id))

    see_person(session, user_id=user_id, now=NOW)

    session.commit()
    assert profile(session, user_id)["username"] != placeholder(user_id)


def test_a_process_remembers_only_so_many_people(app: Flask, session: Session) -> None:
    first_sight = FirstSight(remembered=2)
    people = [new_id() for _ in range(3)]

    with app.app_context():
        for user_id in people:
            first_sight.meet_person(user_id)

    assert [first_sight.has_met(user_id) for user_id in people] == [False, True, True]

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, make_person
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.notifications import NotificationKind
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.notifications import notify
from igloo_social.schemas.notification_preferences import NotificationPreferencesSchema

ADDRESS = "/v1/notifications/preferences"
ALL_PUSHED = {kind.value: "push" for kind in NotificationKind}


@pytest.fixture
def person(client: FlaskClient, session: Session) -> UUID:
    made, stranger = make_person(session), make_person(session)
    session.commit()
    assert (
        client.put(ADDRESS, json={"like": "off", "follow": "list"}, headers=bearer(stranger)).status_code
        == 200
    )
    return made


def test_everything_is_pushed_until_the_person_chooses(client: FlaskClient, person: UUID) -> None:
    reply = client.get(ADDRESS, headers=bearer(person))

    assert reply.status_code == 200
    assert NotificationPreferencesSchema().validate(reply.get_json()) == {}
    assert reply.get_json() == ALL_PUSHED


def test_what_is_chosen_holds_and_the_rest_stays_as_it_was(client: FlaskClient, person: UUID) -> None:
    steps = [
        ({"like": "off", "comment": "list"}, {"like": "off", "comment": "list"}),
        ({"like": "list", "post_failed": "list"}, {"like": "list", "comment": "list", "post_failed": "list"}),
        ({}, {"like": "list", "comment": "list", "post_failed": "list"}),
    ]
    for body, chosen in steps:
        reply = client.put(ADDRESS, json=body, headers=bearer(person))

        assert (reply.status_code, reply.get_json()) == (200, {**ALL_PUSHED, **chosen})
        assert client.get(ADDRESS, headers=bearer(person)).get_json() == {**ALL_PUSHED, **chosen}


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        ({"poke": "off"}, "unknown_field", ["/poke"]),
        ({"like": "email"}, "not_a_choice", ["/like"]),
        ({"like": None}, "null_not_allowed", ["/like"]),
        ({"like": 1}, "invalid_type", ["/like"]),
        ([], "invalid_type", [""]),
        ({"like": "off", "follow_request": "off"}, "notification_needed", ["/follow_request"]),
        (
            {"post_failed": "off", "follow_request": "off"},
            "notification_needed",
            ["/follow_request", "/post_failed"],
        ),
    ],
)
def test_a_choice_that_is_none_is_refused_whole(
    client: FlaskClient, person: UUID, body: object, code: str, pointers: list[str]
) -> None:
    reply = client.put(ADDRESS, json=body, headers=bearer(person))

    assert reply.status_code == 422
    found = [(error["pointer"], error["code"]) for error in reply.get_json()["errors"]]
    assert found == [(pointer, code) for pointer in pointers]
    assert (code == "notification_needed") == (reply.get_json()["code"] == "notification_needed")
    assert client.get(ADDRESS, headers=bearer(person)).get_json() == ALL_PUSHED


def test_one_has_to_be_signed_in_and_still_there_to_choose(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    session.execute(update(PROFILES).where(PROFILES.c.user_id == person).values(deleted_at=LONG_AGO))
    session.commit()

    assert client.get(ADDRESS).status_code == 401
    assert client.put(ADDRESS, json={}).status_code == 401
    reply = client.put(ADDRESS, json={"like": "off"}, headers=bearer(person))
    assert (reply.status_code, reply.get_json()["code"]) == (404, "user_not_found")


def test_a_kind_that_is_off_is_not_told_and_what_was_told_before_stays(
    client: FlaskClient, session: Session, person: UUID
) -> None:
    fan = make_person(session)
    session.commit()

    def tell(kind: str) -> None:
        post_id = new_id()
        notify(
            session,
            recipient_id=person,
            kind=kind,
            actor_id=fan,
            object_id=post_id,
            post_id=post_id,
            now=LONG_AGO,
        )
        session.commit()

    tell("like")
    client.put(ADDRESS, json={"like": "off", "mention": "list"}, headers=bearer(person))
    for kind in ("like", "mention", "follow"):
        tell(kind)

    shown = client.get("/v1/notifications", headers=bearer(person)).get_json()["data"]
    assert sorted(entry["kind"] for entry in shown) == ["follow", "like", "mention"]

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.schemas.profiles import PeoplePageSchema
from igloo_social.schemas.relations import RelationshipsSchema


def page(client: FlaskClient, path: str, viewer: UUID, **query: object) -> dict[str, object]:
    reply = client.get(path, query_string=query, headers=bearer(viewer))
    assert reply.status_code == 200, reply.text
    content: dict[str, object] = reply.get_json()
    assert PeoplePageSchema().load(content)
    return content


def shown(content: dict[str, object]) -> list[str]:
    return [person["id"] for person in content["data"]]  # type: ignore[attr-defined]  # JSON


def cursors(content: dict[str, object]) -> tuple[str | None, str | None]:
    return content["page"]["next_cursor"], content["page"]["prev_cursor"]  # type: ignore[index]  # JSON


@pytest.mark.parametrize("route", ["followers", "following"])
def test_the_lists_can_be_paged_through_in_both_directions(
    client: FlaskClient, session: Session, route: str
) -> None:
    person, viewer = make_person(session), make_person(session)
    others = make_people(session, 7)
    add_noise(session, person, viewer)
    for number, other in enumerate(others):
        # Two at a time in the same microsecond: the id decides between them.
        at = LONG_AGO + timedelta(microseconds=number // 2)
        pair = (other, person) if route == "followers" else (person, other)
        relate(session, pair[0], "f", pair[1], at=at)
    session.commit()
    path = f"/v1/users/{person}/{route}"
    expected = [str(other) for other in sorted(others, key=lambda other: (others.index(other) // 2, other))][
        ::-1
    ]

    first = page(client, path, viewer, limit=3)
    second = page(client, path, viewer, limit=3, cursor=cursors(first)[0])
    third = page(client, path, viewer, limit=3, cursor=cursors(second)[0])
    back = page(client, path, viewer, limit=3, cursor=cursors(third)[1])

    assert shown(first) + shown(second) + shown(third) == expected
    assert cursors(third)[0] is None
    assert shown(back) == shown(second)


def test_new_followers_appear_before_the_first_page(client: FlaskClient, session: Session) -> None:
    person, early, late = make_person(session), make_person(session), make_person(session)
    relate(session, early, "f", person)
    session.commit()
    path = f"/v1/users/{person}/followers"
    first = page(client, path, person)
    relate(session, late, "f", person, at=datetime(2025, 3, 1, tzinfo=UTC))
    session.commit()

    newer = page(client, path, person, cursor=cursors(first)[1])

    assert shown(newer) == [str(late)]


def test_a_cursor_is_good_for_its_list_and_viewer_alone(client: FlaskClient, session: Session) -> None:
    person, other = make_person(session), make_person(session)
    relate(session, other, "f", person)
    relate(session, other, "f", make_person(session))
    session.commit()
    _, cursor = cursors(page(client, f"/v1/users/{person}/followers", person))

    for path, viewer in (
        (f"/v1/users/{person}/following", person),
        (f"/v1/users/{other}/followers", person),
        (f"/v1/users/{person}/followers", other),
    ):
        reply = client.get(path, query_string={"cursor": cursor}, headers=bearer(viewer))
        assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("route", ["followers", "following"])
def test_a_private_accounts_lists_are_for_its_followers(
    client: FlaskClient, session: Session, route: str
) -> None:
    owner, follower, asker = make_person(session, is_private=True), make_person(session), make_person(session)
    relate(session, follower, "f", owner)
    relate(session, asker, "r", owner)
    session.commit()
    path = f"/v1/users/{owner}/{route}"

    assert client.get(path).status_code == 403
    refused = client.get(path, headers=bearer(asker))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "account_is_private")
    assert client.get(path, headers=bearer(follower)).status_code == 200
    assert client.get(path, headers=bearer(owner)).status_code == 200


def test_deleted_people_are_in_no_list(client: FlaskClient, session: Session) -> None:
    person, gone = make_person(session), make_person(session, deleted_at=LONG_AGO)
    relate(session, gone, "f", person)
    session.commit()

    assert shown(page(client, f"/v1/users/{person}/followers", person)) == []


def test_the_relationships_with_several_people_come_at_once(client: FlaskClient, session: Session) -> None:
    viewer, followed, follower, blocking = (make_person(session) for _ in range(4))
    gone = make_person(session, deleted_at=LONG_AGO)
    add_noise(session, viewer, followed)
    relate(session, viewer, "f", followed)
    relate(session, follower, "f", viewer)
    relate(session, blocking, "b", viewer)
    session.commit()
    asked = [follower, blocking, new_id(), gone, followed, followed]

    reply = client.get(
        "/v1/relationships",
        query_string=[("user_id", str(user_id)) for user_id in asked],
        headers=bearer(viewer),
    )

    content = reply.get_json()
    assert [(entry["user_id"], entry["following"], entry["followed_by"]) for entry in content["data"]] == [
        (str(follower), False, True),
        (str(followed), True, False),
    ]
    assert RelationshipsSchema().load(content)


@pytest.mark.parametrize("asked", [[], ["not-an-id"], [str(new_id()) for _ in range(101)]])
def test_relationships_are_asked_of_1_to_100_people(client: FlaskClient, asked: list[str]) -> None:
    reply = client.get(
        "/v1/relationships", query_string=[("user_id", entry) for entry in asked], headers=bearer(new_id())
    )

    assert reply.status_code == 422

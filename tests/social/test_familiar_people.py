"""Followers and followees of a person whom the caller follows too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from factories.social_people import LONG_AGO, add_noise, make_people, make_person, make_private, relate
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.schemas.follows import FollowsPageSchema

if TYPE_CHECKING:
    from uuid import UUID

    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

ROUTES = ["followers", "following"]


def read(client: FlaskClient, viewer: UUID, person: UUID, route: str, **query: object) -> dict[str, Any]:
    reply = client.get(
        f"/v1/users/{person}/{route}",
        query_string={"familiar": "true", **query},
        headers=bearer(viewer),
    )
    assert reply.status_code == 200, reply.text
    content: dict[str, Any] = reply.get_json()
    assert FollowsPageSchema().load(content)
    return content


def ids(content: dict[str, Any]) -> list[str]:
    return [person["id"] for person in content["data"]]


def be_around(session: Session, person: UUID, route: str, other: UUID) -> None:
    """Make somebody a follower, or a followee, of a person."""
    relate(session, *((other, "f", person) if route == "followers" else (person, "f", other)))


@pytest.mark.parametrize("route", ROUTES)
def test_they_are_paged_through_in_the_order_in_which_the_caller_followed_them(
    client: FlaskClient, session: Session, route: str
) -> None:
    viewer, person, *others = make_people(session, 9)
    add_noise(session, viewer, person)
    for number, other in enumerate(others):
        be_around(session, person, route, other)
        # Two at a time in the same microsecond: the id decides between them.
        relate(session, viewer, "f", other, at=LONG_AGO + timedelta(microseconds=number // 2))
    relate(session, viewer, "f", person)
    session.commit()
    expected = [
        str(other) for other in sorted(others, key=lambda other: (others.index(other) // 2, other))[::-1]
    ]

    first = read(client, viewer, person, route, limit=3)
    second = read(client, viewer, person, route, limit=3, cursor=first["page"]["next_cursor"])
    third = read(client, viewer, person, route, limit=3, cursor=second["page"]["next_cursor"])
    back = read(client, viewer, person, route, limit=3, cursor=third["page"]["prev_cursor"])

    assert ids(first) + ids(second) + ids(third) == expected
    assert third["page"]["next_cursor"] is None
    assert ids(back) == ids(second)
    assert {page["page"]["familiar_count"] for page in (first, second, third, back)} == {7}


@pytest.mark.parametrize("route", ROUTES)
def test_only_those_at_the_right_end_of_both_follows_are_listed(
    client: FlaskClient, session: Session, route: str
) -> None:
    viewer, person, both, theirs, mine, turned, asked, asking, fan = make_people(session, 9)
    be_around(session, person, route, both)
    relate(session, viewer, "f", both)
    be_around(session, person, route, theirs)
    relate(session, viewer, "f", mine)
    be_around(session, person, "following" if route == "followers" else "followers", turned)
    relate(session, viewer, "f", turned)
    be_around(session, person, route, asked)
    relate(session, viewer, "r", asked)
    relate(session, *((asking, "r", person) if route == "followers" else (person, "r", asking)))
    relate(session, viewer, "f", asking)
    be_around(session, person, route, fan)
    relate(session, fan, "f", viewer)
    session.commit()

    content = read(client, viewer, person, route, limit=1)

    assert ids(content) == [str(both)]
    assert content["page"]["familiar_count"] == 1


@pytest.mark.parametrize("route", ROUTES)
def test_people_who_are_hidden_or_gone_are_neither_listed_nor_counted(
    client: FlaskClient, session: Session, route: str
) -> None:
    viewer, person, muted = make_people(session, 3)
    gone, suspended = make_person(session, deleted_at=LONG_AGO), make_person(session, suspended_at=LONG_AGO)
    blocked, blocker = make_people(session, 2)
    for other in (muted, gone, suspended, blocked, blocker):
        be_around(session, person, route, other)
        relate(session, viewer, "f", other)
    relate(session, viewer, "m", muted)
    # No follow stands beside a block; should one, the block decides.
    relate(session, viewer, "b", blocked)
    relate(session, blocker, "b", viewer)
    session.commit()

    content = read(client, viewer, person, route)

    assert (ids(content), content["page"]["familiar_count"]) == ([str(muted)], 1)


def test_the_whole_list_is_not_counted(client: FlaskClient, session: Session) -> None:
    viewer, person, *others = make_people(session, 5)
    for other in others:
        be_around(session, person, "followers", other)
        relate(session, viewer, "f", other)
    session.commit()

    assert read(client, viewer, person, "followers", limit=1)["page"]["familiar_count"] == 3
    plain = client.get(f"/v1/users/{person}/followers", headers=bearer(viewer)).get_json()
    assert "familiar_count" not in plain["page"]
    assert len(plain["data"]) == 3


@pytest.mark.parametrize("route", ROUTES)
def test_a_private_account_shows_them_to_its_followers_alone(
    client: FlaskClient, session: Session, route: str
) -> None:
    viewer, person, other = make_people(session, 3)
    make_private(session, person)
    be_around(session, person, route, other)
    relate(session, viewer, "f", other)
    session.commit()
    path = f"/v1/users/{person}/{route}?familiar=true"

    reply = client.get(path, headers=bearer(viewer))
    assert (reply.status_code, reply.get_json()["code"]) == (403, "account_is_private")
    relate(session, viewer, "f", person)
    session.commit()

    assert ids(read(client, viewer, person, route)) == [str(other)]


@pytest.mark.parametrize("route", ROUTES)
def test_who_asks_has_to_be_known(client: FlaskClient, session: Session, route: str) -> None:
    person = make_person(session)
    session.commit()

    for user_id in (person, new_id()):
        reply = client.get(f"/v1/users/{user_id}/{route}?familiar=true")
        assert (reply.status_code, reply.get_json()["code"]) == (401, "authentication_required")
    assert client.get(f"/v1/users/{person}/{route}?familiar=false").status_code == 200


@pytest.mark.parametrize("said", ["yes", "1", "", "True", "null"])
def test_familiar_is_true_or_false(client: FlaskClient, said: str) -> None:
    path = f"/v1/users/{new_id()}/followers"

    reply = client.get(path, query_string={"familiar": said}, headers=bearer(new_id()))

    assert (reply.status_code, reply.get_json()["errors"][0]["pointer"]) == (422, "/familiar")


def test_a_cursor_of_the_whole_list_is_not_one_of_this(client: FlaskClient, session: Session) -> None:
    viewer, person, other = make_people(session, 3)
    be_around(session, person, "followers", other)
    session.commit()
    path = f"/v1/users/{person}/followers"
    cursor = client.get(path, headers=bearer(viewer)).get_json()["page"]["prev_cursor"]

    reply = client.get(path, query_string={"cursor": cursor, "familiar": "true"}, headers=bearer(viewer))

    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")

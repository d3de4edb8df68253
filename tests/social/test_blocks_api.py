from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from factories.social_events import relation_changes
from factories.social_people import add_noise, make_person, relate
from factories.tokens import bearer
from igloo_common.ids import new_id

ROUTES = [
    ("GET", "/v1/users/{}"),
    ("GET", "/v1/users/{}/followers"),
    ("GET", "/v1/users/{}/following"),
    ("PUT", "/v1/users/{}/follow"),
    ("DELETE", "/v1/users/{}/follow"),
    ("PUT", "/v1/users/{}/block"),
    ("DELETE", "/v1/users/{}/block"),
    ("PUT", "/v1/users/{}/mute"),
    ("DELETE", "/v1/users/{}/mute"),
    ("DELETE", "/v1/users/me/followers/{}"),
    ("POST", "/v1/follow-requests/{}/accept"),
    ("POST", "/v1/follow-requests/{}/reject"),
]


def ids(client: FlaskClient, path: str, viewer: UUID) -> list[str]:
    return [person["id"] for person in client.get(path, headers=bearer(viewer)).get_json()["data"]]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("blocks_back", [False, True])
def test_to_the_blocked_a_person_is_exactly_as_unknown_as_nobody(
    client: FlaskClient, session: Session, method: str, path: str, blocks_back: bool
) -> None:
    blocker, blocked = make_person(session), make_person(session)
    relate(session, blocker, "b", blocked)
    if blocks_back:
        relate(session, blocked, "b", blocker)
    session.commit()

    replies = [
        client.open(path.format(asked), method=method, headers=bearer(blocked))
        for asked in (blocker, new_id())
    ]

    problems = [reply.get_json() for reply in replies]
    request_ids = {problem.pop("request_id") for problem in problems}
    assert len(request_ids) == 2
    assert problems[0] == problems[1]
    assert problems[0]["status"] == replies[0].status_code == 404
    assert set(replies[0].headers.keys()) == set(replies[1].headers.keys())


def test_a_block_ends_follows_and_requests_both_ways(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session, is_private=True)
    add_noise(session, a, b)
    relate(session, a, "r", b)
    relate(session, b, "f", a)
    session.commit()

    reply = client.put(f"/v1/users/{b}/block", headers=bearer(a))

    assert reply.status_code == 200
    assert reply.get_json() == {
        "user_id": str(b),
        "following": False,
        "requested": False,
        "followed_by": False,
        "blocking": True,
        "muting": False,
        "muting_until": None,
    }
    assert sorted(relation_changes(session)) == sorted(
        [
            (str(a), "r", str(b), "removed"),
            (str(b), "f", str(a), "removed"),
            (str(a), "b", str(b), "created"),
        ]
    )
    assert client.get(f"/v1/users/{a}").get_json()["follower_count"] == 0


def test_a_block_again_does_nothing(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    session.commit()

    replies = [client.put(f"/v1/users/{b}/block", headers=bearer(a)) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 200]
    assert replies[0].data == replies[1].data
    assert relation_changes(session) == [(str(a), "b", str(b), "created")]


def test_an_unblock_restores_nothing(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    relate(session, a, "f", b)
    relate(session, b, "f", a)
    session.commit()
    client.put(f"/v1/users/{b}/block", headers=bearer(a))

    replies = [client.delete(f"/v1/users/{b}/block", headers=bearer(a)) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 200]
    assert not any(value is True for value in replies[0].get_json().values())
    assert ids(client, f"/v1/users/{b}/followers", a) == []
    assert relation_changes(session)[-1] == (str(a), "b", str(b), "removed")


def test_a_block_takes_back_what_each_was_told_of_the_other(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    session.commit()
    client.put(f"/v1/users/{b}/follow", headers=bearer(a))
    client.put(f"/v1/users/{a}/follow", headers=bearer(b))

    client.put(f"/v1/users/{b}/block", headers=bearer(a))
    client.delete(f"/v1/users/{b}/block", headers=bearer(a))

    for person in (a, b):
        assert client.get("/v1/notifications", headers=bearer(person)).get_json()["data"] == []


def test_the_blocker_still_sees_the_blocked_to_unblock_them(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    relate(session, a, "b", b)
    session.commit()

    reply = client.get(f"/v1/users/{b}", headers=bearer(a))

    assert reply.status_code == 200
    assert reply.get_json()["relationship"]["blocking"] is True


def test_ones_blocks_are_listed_for_oneself_alone(client: FlaskClient, session: Session) -> None:
    a, b, other = (make_person(session) for _ in range(3))
    add_noise(session, a, b, other)
    relate(session, a, "b", b)
    relate(session, other, "b", a)
    session.commit()

    assert ids(client, "/v1/users/me/blocks", a) == [str(b)]
    assert ids(client, "/v1/users/me/blocks", b) == []


def test_the_blocked_find_the_blocker_nowhere(client: FlaskClient, session: Session) -> None:
    blocker, blocked, friend = (
        make_person(session, username="hare"),
        make_person(session),
        make_person(session),
    )
    relate(session, blocker, "f", friend)
    relate(session, friend, "f", blocker)
    relate(session, blocked, "r", blocker)
    session.commit()

    client.put(f"/v1/users/{blocked}/block", headers=bearer(blocker))

    assert ids(client, f"/v1/users/{friend}/followers", blocked) == []
    assert ids(client, f"/v1/users/{friend}/following", blocked) == []
    assert ids(client, "/v1/users?username=hare", blocked) == []
    assert ids(client, "/v1/users/me/blocks", blocked) == []
    batch = client.get(f"/v1/relationships?user_id={blocker}", headers=bearer(blocked)).get_json()
    assert batch == {"data": []}
    assert ids(client, f"/v1/users/{friend}/followers", friend) == [str(blocker)]

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from factories.social_events import emitted, relation_changes
from factories.social_people import add_noise, make_person, relate
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.notifications import Notification
from igloo_social.models.profiles import PROFILES
from igloo_social.schemas.relations import RelationshipSchema

NOTHING = {
    "following": False,
    "requested": False,
    "followed_by": False,
    "blocking": False,
    "muting": False,
    "muting_until": None,
}


def notifications(session: Session, recipient: UUID) -> list[tuple[str, UUID | None]]:
    session.rollback()
    rows = session.execute(
        select(Notification.kind, Notification.actor_id).where(Notification.recipient_id == recipient)
    )
    return [(row.kind, row.actor_id) for row in rows]


def counts(session: Session, user_id: UUID) -> tuple[int, int]:
    session.rollback()
    row = session.execute(
        select(PROFILES.c.follower_count, PROFILES.c.following_count).where(PROFILES.c.user_id == user_id)
    ).one()
    return row.follower_count, row.following_count


def test_a_follow_is_told_counted_and_announced(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    add_noise(session, a, b)
    session.commit()

    reply = client.put(f"/v1/users/{b}/follow", headers=bearer(a))

    assert reply.status_code == 200
    assert reply.get_json() == {**NOTHING, "user_id": str(b), "following": True}
    assert RelationshipSchema().load(reply.get_json())
    assert counts(session, a) == (0, 1)
    assert counts(session, b) == (1, 0)
    assert notifications(session, b) == [("follow", a)]
    assert notifications(session, a) == []
    [event] = emitted(session, "social.relation.changed.v1")
    assert event.pop("changed_at").endswith("Z")
    assert event == {
        "from_user_id": str(a),
        "to_user_id": str(b),
        "relation_type": "f",
        "change": "created",
    }


def test_a_follow_again_answers_the_same_and_does_nothing(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    session.commit()

    first = client.put(f"/v1/users/{b}/follow", headers=bearer(a))
    second = client.put(f"/v1/users/{b}/follow", headers=bearer(a))

    assert (second.status_code, second.data) == (200, first.data)
    assert counts(session, b) == (1, 0)
    assert len(notifications(session, b)) == 1
    assert len(relation_changes(session)) == 1


def test_an_unfollow_ends_it_and_again_does_nothing(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    add_noise(session, a, b)
    relate(session, a, "f", b)
    relate(session, b, "f", a)
    session.commit()

    first = client.delete(f"/v1/users/{b}/follow", headers=bearer(a))
    second = client.delete(f"/v1/users/{b}/follow", headers=bearer(a))

    assert first.get_json() == {**NOTHING, "user_id": str(b), "followed_by": True}
    assert (second.status_code, second.data) == (200, first.data)
    assert counts(session, a) == (1, 0)
    assert counts(session, b) == (0, 1)
    assert relation_changes(session) == [(str(a), "f", str(b), "removed")]


def test_who_follows_again_is_told_of_once(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    session.commit()

    for method in (client.put, client.delete, client.put):
        method(f"/v1/users/{b}/follow", headers=bearer(a))

    assert notifications(session, b) == [("follow", a)]


def test_a_follow_of_a_private_account_asks(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session, is_private=True)
    session.commit()

    replies = [client.put(f"/v1/users/{b}/follow", headers=bearer(a)) for _ in range(2)]

    assert [reply.get_json() for reply in replies] == [{**NOTHING, "user_id": str(b), "requested": True}] * 2
    assert counts(session, b) == (0, 0)
    assert notifications(session, b) == [("follow_request", a)]
    assert relation_changes(session) == [(str(a), "r", str(b), "created")]


def test_a_request_can_be_withdrawn(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session, is_private=True)
    relate(session, a, "r", b)
    session.commit()

    reply = client.delete(f"/v1/users/{b}/follow", headers=bearer(a))

    assert reply.get_json() == {**NOTHING, "user_id": str(b)}
    assert relation_changes(session) == [(str(a), "r", str(b), "removed")]
    assert client.get("/v1/users/me/follow-requests", headers=bearer(b)).get_json()["data"] == []


@pytest.mark.parametrize("is_private", [False, True])
def test_what_is_withdrawn_is_no_longer_news(client: FlaskClient, session: Session, is_private: bool) -> None:
    a, b, other = make_person(session), make_person(session, is_private=is_private), make_person(session)
    session.commit()

    client.put(f"/v1/users/{b}/follow", headers=bearer(other))
    client.put(f"/v1/users/{b}/follow", headers=bearer(a))
    client.delete(f"/v1/users/{b}/follow", headers=bearer(a))

    assert [actor for _, actor in notifications(session, b)] == [other]


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_an_answered_request_is_no_longer_news(client: FlaskClient, session: Session, answer: str) -> None:
    asker, owner = make_person(session), make_person(session, is_private=True)
    session.commit()

    client.put(f"/v1/users/{owner}/follow", headers=bearer(asker))
    client.post(f"/v1/follow-requests/{asker}/{answer}", headers=bearer(owner))

    assert notifications(session, owner) == []


@pytest.mark.parametrize("route", ["follow", "block"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_relates_to_themselves(client: FlaskClient, session: Session, method: str, route: str) -> None:
    a = make_person(session)
    session.commit()

    reply = client.open(f"/v1/users/{a}/{route}", method=method, headers=bearer(a))

    assert (reply.status_code, reply.get_json()["code"]) == (422, "self_relation")


@pytest.mark.parametrize("route", ["follow", "block"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_relates_to_somebody_unknown(
    client: FlaskClient, session: Session, method: str, route: str
) -> None:
    reply = client.open(f"/v1/users/{new_id()}/{route}", method=method, headers=bearer(new_id()))

    assert (reply.status_code, reply.get_json()["code"]) == (404, "user_not_found")


def test_who_is_blocked_is_not_followed(client: FlaskClient, session: Session) -> None:
    a, b = make_person(session), make_person(session)
    relate(session, a, "b", b)
    session.commit()

    reply = client.put(f"/v1/users/{b}/follow", headers=bearer(a))

    assert (reply.status_code, reply.get_json()["code"]) == (409, "person_is_blocked")
    assert relation_changes(session) == []


def test_the_requests_are_listed_for_who_is_asked(client: FlaskClient, session: Session) -> None:
    owner, asker, follower = make_person(session, is_private=True), make_person(session), make_person(session)
    add_noise(session, owner, asker)
    relate(session, asker, "r", owner)
    relate(session, follower, "f", owner)
    relate(session, owner, "r", follower)
    session.commit()

    listed = client.get("/v1/users/me/follow-requests", headers=bearer(owner)).get_json()["data"]

    assert [person["id"] for person in listed] == [str(asker)]


def test_an_accepted_request_becomes_a_follow(client: FlaskClient, session: Session) -> None:
    owner, asker = make_person(session, is_private=True), make_person(session)
    add_noise(session, owner, asker)
    relate(session, asker, "r", owner)
    session.commit()

    replies = [client.post(f"/v1/follow-requests/{asker}/accept", headers=bearer(owner)) for _ in range(2)]

    expected = {**NOTHING, "user_id": str(asker), "followed_by": True}
    assert [(reply.status_code, reply.get_json()) for reply in replies] == [(200, expected)] * 2
    assert counts(session, owner) == (1, 0)
    assert counts(session, asker) == (0, 1)
    assert relation_changes(session) == [
        (str(asker), "r", str(owner), "removed"),
        (str(asker), "f", str(owner), "created"),
    ]


def test_a_rejected_request_is_gone(client: FlaskClient, session: Session) -> None:
    owner, asker = make_person(session, is_private=True), make_person(session)
    relate(session, asker, "r", owner)
    session.commit()

    replies = [client.post(f"/v1/follow-requests/{asker}/reject", headers=bearer(owner)) for _ in range(2)]

    expected = {**NOTHING, "user_id": str(asker)}
    assert [(reply.status_code, reply.get_json()) for reply in replies] == [(200, expected)] * 2
    assert relation_changes(session) == [(str(asker), "r", str(owner), "removed")]


def test_nobody_accepts_what_nobody_asked(client: FlaskClient, session: Session) -> None:
    owner, stranger = make_person(session, is_private=True), make_person(session)
    relate(session, owner, "r", stranger)
    session.commit()

    reply = client.post(f"/v1/follow-requests/{stranger}/accept", headers=bearer(owner))

    assert (reply.status_code, reply.get_json()["code"]) == (404, "follow_request_not_found")


def test_who_is_accepted_is_told_once(client: FlaskClient, session: Session) -> None:
    owner, asker = make_person(session, is_private=True), make_person(session)
    session.commit()
    client.put(f"/v1/users/{owner}/follow", headers=bearer(asker))

    for _ in range(2):
        client.post(f"/v1/follow-requests/{asker}/accept", headers=bearer(owner))

    assert notifications(session, asker) == [("follow_accepted", owner)]
    assert notifications(session, owner) == []


def test_everybody_who_asked_is_told_when_an_account_goes_public(
    client: FlaskClient, session: Session
) -> None:
    owner, first, second, follower = (make_person(session) for _ in range(4))
    add_noise(session, owner, first, second)
    relate(session, follower, "f", owner)
    session.commit()
    client.patch("/v1/users/me", json={"is_private": True}, headers=bearer(owner))
    for asker in (first, second):
        client.put(f"/v1/users/{owner}/follow", headers=bearer(asker))

    for _ in range(2):
        client.patch("/v1/users/me", json={"is_private": False}, headers=bearer(owner))

    assert notifications(session, first) == [("follow_accepted", owner)]
    assert notifications(session, second) == [("follow_accepted", owner)]
    assert notifications(session, follower) == []
    assert notifications(session, owner) == []
    assert counts(session, owner) == (3, 0)


@pytest.mark.parametrize("ends", ["unfollow", "remove", "block", "be blocked"])
def test_that_one_was_accepted_is_no_longer_news_when_the_follow_ends(
    client: FlaskClient, session: Session, ends: str
) -> None:
    owner, asker, other = make_person(session, is_private=True), make_person(session), make_person(session)
    session.commit()
    for person in (asker, other):
        client.put(f"/v1/users/{owner}/follow", headers=bearer(person))
        client.post(f"/v1/follow-requests/{person}/accept", headers=bearer(owner))

    method, path, actor = {
        "unfollow": ("DELETE", f"/v1/users/{owner}/follow", asker),
        "remove": ("DELETE", f"/v1/users/me/followers/{asker}", owner),
        "block": ("PUT", f"/v1/users/{owner}/block", asker),
        "be blocked": ("PUT", f"/v1/users/{asker}/block", owner),
    }[ends]
    assert client.open(path, method=method, headers=bearer(actor)).status_code == 200

    assert notifications(session, asker) == []
    assert notifications(session, other) == [("follow_accepted", owner)]


def test_a_removed_follower_follows_no_more_and_is_not_told(client: FlaskClient, session: Session) -> None:
    owner, follower, other = (make_person(session) for _ in range(3))
    add_noise(session, owner, follower)
    relate(session, owner, "f", follower)
    session.commit()
    for person in (follower, other):
        client.put(f"/v1/users/{owner}/follow", headers=bearer(person))
    announced = len(relation_changes(session))

    replies = [client.delete(f"/v1/users/me/followers/{follower}", headers=bearer(owner)) for _ in range(2)]

    expected = {**NOTHING, "user_id": str(follower), "following": True}
    assert [(reply.status_code, reply.get_json()) for reply in replies] == [(200, expected)] * 2
    assert RelationshipSchema().load(replies[0].get_json())
    assert relation_changes(session)[announced:] == [(str(follower), "f", str(owner), "removed")]
    assert counts(session, owner) == (1, 1)
    assert counts(session, follower) == (1, 0)
    assert notifications(session, owner) == [("follow", other)]
    assert notifications(session, follower) == []


def test_who_asks_is_removed_likewise(client: FlaskClient, session: Session) -> None:
    owner, asker = make_person(session, is_private=True), make_person(session)
    session.commit()
    client.put(f"/v1/users/{owner}/follow", headers=bearer(asker))

    reply = client.delete(f"/v1/users/me/followers/{asker}", headers=bearer(owner))

    assert reply.get_json() == {**NOTHING, "user_id": str(asker)}
    assert [change for *_, change in relation_changes(session)] == ["created", "removed"]
    assert notifications(session, owner) == notifications(session, asker) == []


def test_only_a_known_other_person_can_be_removed(client: FlaskClient, session: Session) -> None:
    owner = make_person(session)
    session.commit()

    def answer(user_id: object) -> tuple[int, str]:
        reply = client.delete(f"/v1/users/me/followers/{user_id}", headers=bearer(owner))
        return reply.status_code, reply.get_json()["code"]

    assert answer(owner) == (422, "self_relation")
    assert answer(new_id()) == (404, "user_not_found")
    assert answer("snow.hare")[0] == 404
    assert client.delete(f"/v1/users/me/followers/{new_id()}").status_code == 401

"""Facebook friends who are here as well, and whom followees follow, as people to follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from factories.social_accounts import delete_account, erase_all
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.social_posts import deliver
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.schemas.suggestions import SuggestionsPageSchema

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session

PATH = "/v1/users/me/suggestions"
LATER = LONG_AGO + timedelta(days=1)


def found(session: Session, account_id: UUID, friends: Iterable[UUID], *, at: datetime = LONG_AGO) -> None:
    deliver(session, "auth.friends.found.v1", account_id=account_id, friend_ids=list(friends), found_at=at)
    session.commit()


def suggestions(client: FlaskClient, viewer: UUID, **query: object) -> dict[str, Any]:
    reply = client.get(PATH, query_string=query, headers=bearer(viewer))
    assert reply.status_code == 200, reply.text
    content: dict[str, Any] = reply.get_json()
    assert SuggestionsPageSchema().load(content)
    return content


def suggested(client: FlaskClient, viewer: UUID) -> set[str]:
    return {person["id"] for person in suggestions(client, viewer)["data"]}


def names(*people: UUID) -> set[str]:
    return {str(person) for person in people}


def add_friend_noise(session: Session) -> None:
    """Make strangers who are friends among themselves."""
    first, *others = make_people(session, 3)
    found(session, first, others)


def test_friends_are_suggested_to_each_other_with_the_reason(client: FlaskClient, session: Session) -> None:
    viewer = make_person(session)
    friend = make_person(session, username="puffin", display_name="Puffin", avatar_url="http://igloo.test/p")
    add_noise(session, viewer, friend)
    add_friend_noise(session)

    found(session, viewer, [friend, viewer])

    assert suggestions(client, viewer)["data"] == [
        {
            "id": str(friend),
            "username": "puffin",
            "display_name": "Puffin",
            "avatar_url": "http://igloo.test/p",
            "reason": "facebook_friend",
            "mutual_count": 0,
            "mutuals": [],
        }
    ]
    assert suggested(client, friend) == names(viewer)


@pytest.mark.parametrize(
    ("kind", "towards", "shown"),
    [
        ("f", "friend", False),
        ("r", "friend", False),
        ("m", "friend", False),
        ("b", "friend", False),
        ("b", "viewer", False),
        ("f", "viewer", True),
        ("r", "viewer", True),
        ("m", "viewer", True),
    ],
)
def test_who_is_followed_asked_muted_or_blocked_is_not_suggested(
    client: FlaskClient, session: Session, kind: str, towards: str, *, shown: bool
) -> None:
    viewer, friend, other = make_people(session, 3)
    relate(session, *((viewer, kind, friend) if towards == "friend" else (friend, kind, viewer)))
    found(session, viewer, [friend, other])

    assert suggested(client, viewer) == (names(friend, other) if shown else names(other))


def test_the_deleted_are_not_suggested_and_do_not_come_back(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    viewer, friend, gone = make_people(session, 3)
    never_seen = new_id()
    found(session, viewer, [friend, gone])
    delete_account(session, gone)
    delete_account(session, never_seen)
    assert suggested(client, viewer) == names(friend)
    erase_all(app)

    found(session, viewer, [friend, gone, never_seen], at=LATER)
    found(session, gone, [viewer, friend], at=LATER)

    assert suggested(client, viewer) == names(friend)
    assert session.scalar(text("SELECT count(*) FROM facebook_friends")) == 2


def test_a_friend_is_suggested_though_the_event_of_their_account_comes_later(
    client: FlaskClient, session: Session
) -> None:
    viewer, newcomer = make_person(session), new_id()

    found(session, viewer, [newcomer])
    deliver(
        session, "auth.account.created.v1", account_id=newcomer, display_name="Arctic Fox", picture_url=None
    )
    session.commit()

    (shown,) = suggestions(client, viewer)["data"]
    assert (shown["id"], shown["display_name"]) == (str(newcomer), "Arctic Fox")


def test_a_new_list_replaces_the_former_one_both_ways(client: FlaskClient, session: Session) -> None:
    viewer, kept, lost, gained = make_people(session, 4)
    add_friend_noise(session)
    found(session, viewer, [kept, lost])
    found(session, lost, [viewer, kept], at=LONG_AGO)

    found(session, viewer, [kept, gained], at=LATER)

    assert suggested(client, viewer) == names(kept, gained)
    assert suggested(client, lost) == names(kept)
    assert suggested(client, kept) == names(viewer, lost)


def test_an_older_list_changes_nothing_and_an_empty_one_is_remembered(
    client: FlaskClient, session: Session
) -> None:
    viewer, friend = make_people(session, 2)
    found(session, viewer, [], at=LATER)

    found(session, viewer, [friend], at=LONG_AGO)

    assert suggested(client, viewer) == set()


def test_of_two_friends_the_later_look_up_decides(client: FlaskClient, session: Session) -> None:
    viewer, parted, stayed = make_people(session, 3)
    found(session, parted, [], at=LATER)
    found(session, stayed, [viewer], at=LATER)

    found(session, viewer, [parted], at=LONG_AGO)

    assert suggested(client, viewer) == names(stayed)
    assert suggested(client, parted) == set()


def test_the_newest_found_come_first_page_by_page(client: FlaskClient, session: Session) -> None:
    viewer, friends = make_person(session), make_people(session, 7)
    add_friend_noise(session)
    for number in range(len(friends)):
        # Three are found at a time, and those found before are found again.
        found(session, viewer, friends[: number // 3 * 3 + 3], at=LONG_AGO + timedelta(days=number))
    expected = [str(friend) for start in (6, 3, 0) for friend in sorted(friends[start : start + 3])[::-1]]

    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        content = suggestions(client, viewer, limit=3, **({"cursor": cursor} if cursor else {}))
        pages.append([person["id"] for person in content["data"]])
        cursor = content["page"]["next_cursor"]
    back = suggestions(client, viewer, limit=3, cursor=content["page"]["prev_cursor"])

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [person for page in pages for person in page] == expected
    assert [person["id"] for person in back["data"]] == pages[1]


def follow_all(session: Session, followers: Iterable[UUID], *followees: UUID) -> None:
    for follower in followers:
        for followee in followees:
            relate(session, follower, "f", followee)


def read_all(client: FlaskClient, viewer: UUID, *, limit: int) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        content = suggestions(client, viewer, limit=limit, **cursor)
        people += content["data"]
        if content["page"]["next_cursor"] is None:
            return people
        cursor = {"cursor": content["page"]["next_cursor"]}


def test_whom_most_followees_follow_come_first_and_after_the_facebook_friends(
    client: FlaskClient, session: Session
) -> None:
    viewer, friend, one, two, three, also_two = make_people(session, 6)
    followees = make_people(session, 4)
    add_noise(session, viewer, *followees)
    add_friend_noise(session)
    for number, followee in enumerate(followees):
        relate(session, viewer, "f", followee, at=LONG_AGO + timedelta(days=number))
    follow_all(session, followees[:1], friend, one)
    follow_all(session, followees[1:3], two, also_two)
    follow_all(session, followees[1:], three)
    # Who follows the viewer, or whom somebody else follows, is no reason.
    follow_all(session, [make_person(session)], viewer, make_person(session))
    found(session, viewer, [friend])

    people = suggestions(client, viewer)["data"]

    assert [(person["id"], person["reason"], person["mutual_count"]) for person in people] == [
        (str(friend), "facebook_friend", 1),
        (str(three), "followed_by_followees", 3),
        *((str(user_id), "followed_by_followees", 2) for user_id in sorted((two, also_two))[::-1]),
        (str(one), "followed_by_followees", 1),
    ]
    shown = [[mutual["id"] for mutual in person["mutuals"]] for person in people]
    assert shown[:2] == [[str(followees[0])], [str(followees[number]) for number in (3, 2, 1)]]


def test_no_more_followees_are_shown_than_fit(client: FlaskClient, session: Session) -> None:
    viewer, popular, *followees = make_people(session, 7)
    follow_all(session, [viewer], *followees)
    follow_all(session, followees, popular)
    session.commit()

    (person,) = suggestions(client, viewer)["data"]

    assert (person["mutual_count"], len(person["mutuals"])) == (5, 3)
    assert {mutual["id"] for mutual in person["mutuals"]} <= names(*followees)


@pytest.mark.parametrize("kind", ["f", "r", "b", "m"])
def test_friends_of_friends_to_whom_there_is_an_edge_are_not_suggested(
    client: FlaskClient, session: Session, kind: str
) -> None:
    viewer, followee, known, other, blocker = make_people(session, 5)
    follow_all(session, [viewer], followee)
    follow_all(session, [followee], known, other, blocker, viewer)
    relate(session, viewer, kind, known)
    relate(session, blocker, "b", viewer)
    session.commit()

    assert suggested(client, viewer) == names(other)


def test_a_mute_that_is_over_hides_nobody(client: FlaskClient, session: Session) -> None:
    viewer, friend, followee, other = make_people(session, 4)
    follow_all(session, [viewer], followee)
    follow_all(session, [followee], other)
    for muted in (friend, other):
        relate(session, viewer, "m", muted)
    found(session, viewer, [friend])
    assert suggested(client, viewer) == set()

    session.execute(text("UPDATE relations SET expires_at = now() WHERE relation_type = 'm'"))
    session.commit()

    assert suggested(client, viewer) == names(friend, other)


def test_followees_who_are_muted_or_gone_are_no_reason(client: FlaskClient, session: Session) -> None:
    viewer, muted, blocker, other = make_people(session, 4)
    away = make_person(session, suspended_at=LONG_AGO), make_person(session, deleted_at=LONG_AGO)
    follow_all(session, [viewer], muted, blocker, *away)
    follow_all(session, [muted, blocker, *away], other)
    relate(session, viewer, "m", muted)
    relate(session, blocker, "b", viewer)
    session.commit()

    assert suggested(client, viewer) == set()


def test_private_people_are_suggested_and_the_suspended_and_deleted_are_not(
    client: FlaskClient, session: Session
) -> None:
    viewer, followee = make_people(session, 2)
    private = make_person(session, is_private=True)
    away = make_person(session, suspended_at=LONG_AGO), make_person(session, deleted_at=LONG_AGO)
    follow_all(session, [viewer], followee)
    follow_all(session, [followee], private, *away)
    session.commit()

    assert suggested(client, viewer) == names(private)


def test_all_of_them_are_found_page_by_page_in_both_directions(client: FlaskClient, session: Session) -> None:
    viewer, friends, others = make_person(session), make_people(session, 3), make_people(session, 6)
    followees = make_people(session, 3)
    follow_all(session, [viewer], *followees)
    for number, other in enumerate(others):
        follow_all(session, followees[: number % 3 + 1], other)
    found(session, viewer, friends)
    everybody = [person["id"] for person in suggestions(client, viewer)["data"]]

    assert set(everybody) == names(*friends, *others)
    for limit in (1, 2, 4, 5):
        assert [person["id"] for person in read_all(client, viewer, limit=limit)] == everybody
    second = suggestions(
        client, viewer, limit=4, cursor=suggestions(client, viewer, limit=4)["page"]["next_cursor"]
    )
    back = suggestions(client, viewer, limit=4, cursor=second["page"]["prev_cursor"])
    assert [person["id"] for person in back["data"]] == everybody[:4]


def test_who_is_dismissed_is_never_suggested_again(client: FlaskClient, session: Session) -> None:
    viewer, friend, other, followee = make_people(session, 4)
    follow_all(session, [viewer, friend], followee)
    follow_all(session, [followee], other)
    found(session, viewer, [friend])
    assert suggested(client, viewer) == names(friend, other)

    for dismissed in (friend, other, friend):
        reply = client.delete(f"{PATH}/{dismissed}", headers=bearer(viewer))
        assert (reply.status_code, reply.data) == (204, b"")

    found(session, viewer, [], at=LATER)
    found(session, viewer, [friend], at=LATER + timedelta(days=1))
    assert suggested(client, viewer) == set()
    assert suggested(client, friend) == names(viewer, other)


def test_the_dismissals_of_and_by_the_deleted_are_forgotten(
    app: Flask, client: FlaskClient, session: Session
) -> None:
    gone, other, third = make_people(session, 3)
    session.commit()
    for by, dismissed in ((gone, other), (other, gone), (other, third)):
        client.delete(f"{PATH}/{dismissed}", headers=bearer(by))

    delete_account(session, gone)
    erase_all(app)

    left = session.execute(text("SELECT user_id, dismissed_id FROM dismissed_suggestions")).all()
    assert [tuple(row) for row in left] == [(other, third)]


def test_only_a_known_other_person_can_be_dismissed(client: FlaskClient, session: Session) -> None:
    viewer, blocker = make_people(session, 2)
    relate(session, blocker, "b", viewer)
    session.commit()

    def answer(user_id: UUID) -> tuple[int, str]:
        reply = client.delete(f"{PATH}/{user_id}", headers=bearer(viewer))
        return reply.status_code, reply.get_json()["code"]

    assert answer(viewer) == (422, "self_relation")
    assert answer(blocker) == answer(new_id()) == (404, "user_not_found")
    assert client.delete(f"{PATH}/{blocker}").status_code == 401
    assert session.scalar(text("SELECT count(*) FROM dismissed_suggestions")) == 0


def test_a_cursor_is_good_for_its_owner_alone(client: FlaskClient, session: Session) -> None:
    viewer, friend = make_people(session, 2)
    found(session, viewer, [friend])
    cursor = suggestions(client, viewer)["page"]["prev_cursor"]

    reply = client.get(PATH, query_string={"cursor": cursor}, headers=bearer(friend))

    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")


def test_suggestions_are_for_those_who_are_signed_in(client: FlaskClient) -> None:
    assert client.get(PATH).status_code == 401

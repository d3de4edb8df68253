"""Facebook friends who are here as well, as people to follow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from factories.social_accounts import delete_account, erase_all
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, relate
from factories.social_posts import deliver
from factories.tokens import bearer
from igloo_common.database import transaction
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


def test_a_cursor_is_good_for_its_owner_alone(client: FlaskClient, session: Session) -> None:
    viewer, friend = make_people(session, 2)
    found(session, viewer, [friend])
    cursor = suggestions(client, viewer)["page"]["prev_cursor"]

    reply = client.get(PATH, query_string={"cursor": cursor}, headers=bearer(friend))

    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")


def test_suggestions_are_for_those_who_are_signed_in(client: FlaskClient) -> None:
    assert client.get(PATH).status_code == 401


def test_lists_of_many_friends_at_once_end_as_the_last_of_each_says(app: Flask, session: Session) -> None:
    people = make_people(session, 6)
    session.commit()

    def tell(number: int) -> None:
        with app.app_context():
            for day in range(12):
                friends = [person for person in people if person != people[number]] if day == 11 else []
                with transaction() as telling:
                    deliver(
                        telling,
                        "auth.friends.found.v1",
                        account_id=people[number],
                        friend_ids=friends,
                        found_at=LONG_AGO + timedelta(days=day),
                    )

    with ThreadPoolExecutor(len(people)) as pool:
        for future in [pool.submit(tell, number) for number in range(len(people))]:
            future.result(timeout=60)

    assert session.scalar(text("SELECT count(*) FROM facebook_friends")) == 6 * 5

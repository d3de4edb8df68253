from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from factories.social_people import add_noise, make_person, make_private, relate
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.profiles import PROFILES
from igloo_social.schemas.profiles import ProfileSchema
from igloo_social.schemas.search import FoundPeopleSchema


def stored(session: Session, user_id: UUID) -> dict[str, object]:
    session.rollback()
    return dict(session.execute(select(PROFILES).where(PROFILES.c.user_id == user_id)).one()._mapping)


def test_a_profile_shows_the_person_with_the_relationship(client: FlaskClient, session: Session) -> None:
    viewer = make_person(session)
    person = make_person(
        session,
        username="hare",
        display_name="Snow Hare",
        bio="Ice, mostly",
        avatar_url="https://a.test/1.jpg",
    )
    add_noise(session, viewer, person)
    relate(session, viewer, "f", person)
    session.commit()

    reply = client.get(f"/v1/users/{person}", headers=bearer(viewer))

    assert reply.status_code == 200
    assert reply.json == {
        "id": str(person),
        "username": "hare",
        "display_name": "Snow Hare",
        "bio": "Ice, mostly",
        "avatar_url": "https://a.test/1.jpg",
        "is_private": False,
        "follower_count": 1,
        "following_count": 0,
        "post_count": 0,
        "created_at": "2025-01-02T03:04:05.678901Z",
        "relationship": {
            "user_id": str(person),
            "following": True,
            "requested": False,
            "followed_by": False,
            "blocking": False,
            "muting": False,
            "muting_until": None,
        },
    }


@pytest.mark.parametrize(
    ("outgoing", "incoming", "expected"),
    [
        ("", "", set()),
        ("f", "", {"following"}),
        ("", "f", {"followed_by"}),
        ("fm", "f", {"following", "muting", "followed_by"}),
        ("r", "rm", {"requested"}),
        ("b", "", {"blocking"}),
    ],
)
def test_the_relationship_is_said_from_the_viewers_side(
    client: FlaskClient, session: Session, outgoing: str, incoming: str, expected: set[str]
) -> None:
    viewer, person = make_person(session), make_person(session)
    add_noise(session, viewer, person)
    for kind in outgoing:
        relate(session, viewer, kind, person)
    for kind in incoming:
        relate(session, person, kind, viewer)
    session.commit()

    reply = client.get(f"/v1/users/{person}", headers=bearer(viewer))

    shown = reply.get_json()["relationship"]
    assert {name for name, value in shown.items() if value is True} == expected


def test_nobody_has_a_relationship_with_themselves_or_without_a_token(
    client: FlaskClient, session: Session
) -> None:
    person = make_person(session)
    session.commit()

    assert client.get(f"/v1/users/{person}", headers=bearer(person)).get_json()["relationship"] is None
    assert client.get(f"/v1/users/{person}").get_json()["relationship"] is None


def test_the_bytes_sent_are_as_documented(client: FlaskClient, session: Session) -> None:
    viewer, person = make_person(session), make_person(session)
    session.commit()

    for reply in (
        client.get(f"/v1/users/{person}", headers=bearer(viewer)),
        client.get(f"/v1/users/{person}"),
        client.get("/v1/users/me", headers=bearer(viewer)),
    ):
        assert ProfileSchema().load(reply.get_json())
    for query in ("username=nobody", "q=nobody", "q=Some"):
        assert FoundPeopleSchema().load(client.get(f"/v1/users?{query}").get_json())


@pytest.mark.parametrize("deleted_at", [None, datetime(2025, 2, 3, tzinfo=UTC)])
def test_an_unknown_and_a_deleted_person_are_not_found(
    client: FlaskClient, session: Session, deleted_at: datetime | None
) -> None:
    viewer, person = make_person(session), make_person(session, deleted_at=deleted_at)
    session.commit()
    asked = person if deleted_at else new_id()

    reply = client.get(f"/v1/users/{asked}", headers=bearer(viewer))

    assert reply.status_code == 404
    assert reply.get_json()["code"] == "user_not_found"


def test_a_profile_is_not_sent_twice(client: FlaskClient, session: Session) -> None:
    person, other = make_person(session), make_person(session)
    session.commit()
    tag = client.get(f"/v1/users/{person}").headers["ETag"]

    same = client.get(f"/v1/users/{person}", headers={"If-None-Match": tag})
    relate(session, other, "f", person)
    session.commit()
    changed = client.get(f"/v1/users/{person}", headers={"If-None-Match": tag})

    assert not tag.startswith("W/")
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    assert (changed.status_code, changed.get_json()["follower_count"]) == (200, 1)


def test_a_person_changes_their_profile(client: FlaskClient, session: Session) -> None:
    person = make_person(session, display_name="Old", bio="Old")
    session.commit()
    edit = {"username": "New.Name", "display_name": " Hare\u0301 ", "bio": "One\r\ntwo", "is_private": True}

    reply = client.patch("/v1/users/me", json=edit, headers=bearer(person))

    assert reply.status_code == 200
    shown = reply.get_json()
    assert (shown["username"], shown["display_name"], shown["bio"]) == ("new.name", "Har\u00e9", "One\ntwo")
    assert shown["is_private"] is True
    assert reply.headers["ETag"] == client.get("/v1/users/me", headers=bearer(person)).headers["ETag"]


def test_what_an_edit_leaves_out_stays(client: FlaskClient, session: Session) -> None:
    person = make_person(session, username="hare", display_name="Hare", is_private=True)
    session.commit()

    client.patch("/v1/users/me", json={"bio": "New"}, headers=bearer(person))

    after = stored(session, person)
    assert (after["username"], after["display_name"], after["bio"]) == ("hare", "Hare", "New")
    assert after["is_private"] is True
    assert after["version"] == 2


def test_an_edit_that_changes_nothing_makes_no_version(client: FlaskClient, session: Session) -> None:
    person = make_person(session, bio="Same")
    session.commit()

    reply = client.patch("/v1/users/me", json={"bio": "Same"}, headers=bearer(person))

    assert reply.status_code == 200
    assert stored(session, person)["version"] == 1


def test_an_edit_of_what_has_changed_meanwhile_is_refused(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    session.commit()
    tag = client.get("/v1/users/me", headers=bearer(person)).headers["ETag"]
    client.patch("/v1/users/me", json={"bio": "By another phone"}, headers=bearer(person))

    reply = client.patch("/v1/users/me", json={"bio": "Mine"}, headers={**bearer(person), "If-Match": tag})

    assert (reply.status_code, reply.get_json()["code"]) == (412, "profile_changed")
    assert stored(session, person)["bio"] == "By another phone"


def test_of_editors_at_once_who_read_the_same_only_one_gets_through(app: Flask, session: Session) -> None:
    person = make_person(session)
    session.commit()
    tag = app.test_client().get("/v1/users/me", headers=bearer(person)).headers["ETag"]
    barrier = Barrier(8)

    def edit(number: int) -> int:
        client = app.test_client()
        headers = {**bearer(person), "If-Match": tag}
        barrier.wait(timeout=10)
        return client.patch("/v1/users/me", json={"bio": f"By phone {number}"}, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(edit, range(8)))

    assert sorted(statuses) == [200, *[412] * 7]
    after = stored(session, person)
    assert (after["bio"], after["version"]) == (f"By phone {statuses.index(200)}", 2)


def test_a_new_follower_stands_in_the_way_of_no_edit(client: FlaskClient, session: Session) -> None:
    person, other = make_person(session), make_person(session)
    session.commit()
    tag = client.get("/v1/users/me", headers=bearer(person)).headers["ETag"]
    relate(session, other, "f", person)
    session.commit()

    reply = client.patch("/v1/users/me", json={"bio": "Mine"}, headers={**bearer(person), "If-Match": tag})

    assert reply.status_code == 200


@pytest.mark.parametrize(
    "if_match",
    ['"gone"', 'W/"1-abc"', '"-1"', '"²-x"', '""', '"1-', ",", '"' + "1" * 5000 + '-x"', '"", "gone"'],
)
def test_a_tag_that_is_not_ours_matches_nothing(client: FlaskClient, session: Session, if_match: str) -> None:
    person = make_person(session)
    session.commit()
    headers = {**bearer(person), "If-Match": if_match.encode().decode("latin-1")}

    assert client.patch("/v1/users/me", json={"bio": "Mine"}, headers=headers).status_code == 412


def test_any_version_matches_the_star(client: FlaskClient, session: Session) -> None:
    person = make_person(session)
    session.commit()

    reply = client.patch("/v1/users/me", json={"bio": "Mine"}, headers={**bearer(person), "If-Match": "*"})

    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("edit", "pointer", "code"),
    [
        ({"username": "ab"}, "/username", "username_malformed"),
        ({"username": "hare\u202ekim"}, "/username", "username_malformed"),
        ({"username": "x" * 31}, "/username", "username_malformed"),
        ({"username": "Admin"}, "/username", "username_reserved"),
        ({"username": None}, "/username", "null_not_allowed"),
        ({"display_name": "   "}, "/display_name", "invalid_length"),
        ({"display_name": "x" * 51}, "/display_name", "invalid_length"),
        ({"display_name": "Hare\u202eadmin"}, "/display_name", "forbidden_character"),
        ({"display_name": "Two\nlines"}, "/display_name", "forbidden_character"),
        ({"bio": "x" * 301}, "/bio", "too_long"),
        ({"bio": "bell\u0007"}, "/bio", "forbidden_character"),
        ({"bio": "nul\u0000"}, "/bio", "null_character"),
        ({"is_private": "yes"}, "/is_private", "invalid_type"),
        ({"is_private": 1}, "/is_private", "invalid_type"),
        ({"is_private": 0.0}, "/is_private", "invalid_type"),
        ({"follower_count": 1000}, "/follower_count", "unknown_field"),
        ({"avatar_url": "https://a.test"}, "/avatar_url", "unknown_field"),
    ],
)
def test_a_bad_edit_is_refused_with_a_pointer(
    client: FlaskClient, session: Session, edit: dict[str, object], pointer: str, code: str
) -> None:
    person = make_person(session)
    session.commit()

    reply = client.patch("/v1/users/me", json=edit, headers=bearer(person))

    assert reply.status_code == 422
    assert [(error["pointer"], error["code"]) for error in reply.get_json()["errors"]] == [(pointer, code)]
    assert stored(session, person)["version"] == 1


def test_a_username_that_is_taken_is_refused_in_any_case(client: FlaskClient, session: Session) -> None:
    make_person(session, username="hare")
    person = make_person(session)
    session.commit()

    reply = client.patch("/v1/users/me", json={"username": "HARE"}, headers=bearer(person))

    assert (reply.status_code, reply.get_json()["code"]) == (409, "username_taken")
    assert reply.get_json()["errors"][0]["pointer"] == "/username"


def test_a_person_is_found_by_username_in_any_case(client: FlaskClient, session: Session) -> None:
    viewer = make_person(session, username="hare.k")
    person = make_person(session, username="hare")
    make_person(session, username="snow.hare")
    session.commit()

    found = client.get("/v1/users?username=HARE", headers=bearer(viewer)).get_json()

    assert [profile["id"] for profile in found["data"]] == [str(person)]
    assert found["page"] == {"next_cursor": None, "prev_cursor": None}


def test_a_username_that_is_missing_or_endless_is_refused(client: FlaskClient) -> None:
    assert client.get("/v1/users").status_code == 422
    assert client.get(f"/v1/users?username={'x' * 31}").status_code == 422


def test_ones_own_profile_needs_a_token(client: FlaskClient) -> None:
    assert client.get("/v1/users/me").status_code == 401
    assert client.patch("/v1/users/me", json={"bio": "x"}).status_code == 401


def test_counts_agree_with_the_lists_that_the_viewer_can_page_through(
    client: FlaskClient, session: Session
) -> None:
    viewer, person = make_person(session), make_person(session)
    hiding, hidden, both, open_ = (make_person(session) for _ in range(4))
    add_noise(session, viewer, person)
    for other in (hiding, hidden, both, open_):
        relate(session, other, "f", person)
        relate(session, person, "f", other)
    relate(session, hiding, "b", viewer)
    relate(session, viewer, "b", hidden)
    relate(session, viewer, "b", both)
    relate(session, both, "b", viewer)
    session.commit()

    seen = client.get(f"/v1/users/{person}", headers=bearer(viewer)).get_json()
    followers = client.get(f"/v1/users/{person}/followers", headers=bearer(viewer)).get_json()["data"]
    following = client.get(f"/v1/users/{person}/following", headers=bearer(viewer)).get_json()["data"]

    assert [entry["id"] for entry in followers] == [str(open_)]
    assert [entry["id"] for entry in following] == [str(open_)]
    assert (seen["follower_count"], seen["following_count"]) == (1, 1)
    assert client.get(f"/v1/users/{person}").get_json()["follower_count"] == 4


def test_going_public_accepts_everybody_who_asked(client: FlaskClient, session: Session) -> None:
    person, asker, other_asker = (make_person(session) for _ in range(3))
    make_private(session, person)
    add_noise(session, person, asker)
    relate(session, asker, "r", person)
    relate(session, other_asker, "r", person)
    session.commit()

    reply = client.patch("/v1/users/me", json={"is_private": False}, headers=bearer(person))

    assert reply.get_json()["follower_count"] == 2
    seen = client.get(f"/v1/users/{person}", headers=bearer(asker)).get_json()["relationship"]
    assert (seen["following"], seen["requested"]) == (True, False)

"""People who delete their account are unseen from the commit of the event on, long before they are erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from factories.social_accounts import Life, delete_account, everything_else
from factories.social_people import make_private
from factories.social_posts import deliver
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.models.profiles import PROFILES

if TYPE_CHECKING:
    from uuid import UUID

    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session


def listed(client: FlaskClient, path: str, viewer: UUID) -> list[str]:
    reply = client.get(path, headers=bearer(viewer))
    assert reply.status_code == 200, reply.text
    return [entry["id"] for entry in reply.get_json()["data"]]


@pytest.fixture
def life(session: Session) -> Life:
    life = Life(session)
    delete_account(session, life.person)
    return life


def test_the_profile_is_an_empty_tombstone_with_the_username_kept(session: Session, life: Life) -> None:
    row = session.execute(select(PROFILES).where(PROFILES.c.user_id == life.person)).one()

    assert (row.username, row.display_name, row.bio, row.avatar_url) == ("snow.hare", "", "", None)
    assert row.deleted_at is not None


def test_the_username_stays_taken(client: FlaskClient, life: Life) -> None:
    reply = client.patch("/v1/users/me", json={"username": "snow.hare"}, headers=bearer(life.others[0]))

    assert (reply.status_code, reply.get_json()["code"]) == (409, "username_taken")


@pytest.mark.parametrize("viewer", ["other", "nobody", "self"])
def test_everything_of_theirs_is_as_of_an_unknown_person(
    client: FlaskClient, life: Life, viewer: str
) -> None:
    headers = {
        "other": bearer(life.others[0]),
        "nobody": {},
        "self": bearer(life.person),
    }[viewer]
    unknown = client.get(f"/v1/users/{new_id()}", headers=headers).get_json()

    for path in ("", "/posts", "/followers", "/following"):
        reply = client.get(f"/v1/users/{life.person}{path}", headers=headers)
        said = reply.get_json()
        assert reply.status_code == 404, path
        assert (said["code"], said["detail"]) == (unknown["code"], unknown["detail"])
    assert client.get("/v1/users?username=snow.hare", headers=headers).get_json()["data"] == []
    for path in ("", "/likes"):
        assert client.get(f"/v1/posts/{life.posts[0]}{path}", headers=headers).status_code == 404


def test_nobody_can_act_towards_them(client: FlaskClient, life: Life) -> None:
    headers = bearer(life.others[0])

    for method, path in (
        ("PUT", f"/v1/users/{life.person}/follow"),
        ("DELETE", f"/v1/users/{life.person}/follow"),
        ("PUT", f"/v1/users/{life.person}/block"),
        ("PUT", f"/v1/posts/{life.posts[0]}/like"),
        ("POST", f"/v1/follow-requests/{life.person}/accept"),
    ):
        assert client.open(path, method=method, headers=headers).status_code == 404, path


def test_they_cannot_act_with_a_token_that_still_lives(
    client: FlaskClient, session: Session, life: Life
) -> None:
    headers, post_id = bearer(life.person), life.others_posts[0]
    before = everything_else(session, new_id())

    for method, path, body in (
        ("PUT", f"/v1/users/{life.others[4]}/follow", None),
        ("PUT", f"/v1/users/{life.others[4]}/block", None),
        ("PUT", f"/v1/posts/{post_id}/like", None),
        ("DELETE", f"/v1/posts/{post_id}/like", None),
        ("POST", "/v1/posts", {"caption": "Still here"}),
        ("PATCH", f"/v1/posts/{life.posts[0]}", {"caption": "Still here"}),
        ("DELETE", f"/v1/posts/{life.posts[0]}", None),
        ("PATCH", "/v1/users/me", {"bio": "Still here"}),
        ("GET", "/v1/users/me", None),
        ("PUT", "/v1/notifications/read-marker", {"read_until": utc_now().isoformat()}),
    ):
        reply = client.open(path, method=method, json=body, headers=headers)
        assert reply.status_code == 404, (path, reply.text)
    assert everything_else(session, new_id()) == before


def test_they_are_in_no_list_and_counts_agree_with_lists(client: FlaskClient, life: Life) -> None:
    gone = str(life.person)
    for other in life.others:
        for viewer in (other, life.others[2]):
            followers = listed(client, f"/v1/users/{other}/followers", viewer)
            following = listed(client, f"/v1/users/{other}/following", viewer)
            profile = client.get(f"/v1/users/{other}", headers=bearer(viewer)).get_json()
            anonymous = client.get(f"/v1/users/{other}").get_json()
            assert gone not in followers + following
            for seen in (profile, anonymous):
                assert (seen["follower_count"], seen["following_count"]) == (
                    len(followers),
                    len(following),
                )
    for post_id in life.others_posts:
        likers = listed(client, f"/v1/posts/{post_id}/likes", life.others[0])
        post = client.get(f"/v1/posts/{post_id}", headers=bearer(life.others[0])).get_json()
        assert likers == [str(life.others[3])]
        assert post["like_count"] == 1


def test_feeds_news_relationships_requests_and_suggestions_do_not_know_them(
    client: FlaskClient, life: Life
) -> None:
    gone = str(life.person)
    for other in life.others:
        assert not set(listed(client, "/v1/feed", other)) & {str(post) for post in life.posts}
        news = client.get("/v1/notifications", headers=bearer(other)).get_json()["data"]
        assert all(entry["actor"] is None or entry["actor"]["id"] != gone for entry in news)
        unread = client.get("/v1/notifications/unread-count", headers=bearer(other)).get_json()
        assert unread["unread_count"] == len([entry for entry in news if not entry["read"]])
        between = client.get(f"/v1/relationships?user_id={gone}", headers=bearer(other)).get_json()
        assert between["data"] == []
        for path in ("follow-requests", "suggestions", "blocks"):
            assert gone not in listed(client, f"/v1/users/me/{path}", other)


def test_who_goes_public_is_not_followed_by_the_deleted(
    client: FlaskClient, session: Session, life: Life
) -> None:
    owner = life.others[2]
    make_private(session, owner)
    session.commit()

    assert client.patch("/v1/users/me", json={"is_private": False}, headers=bearer(owner)).status_code == 200

    kinds = text("SELECT relation_type FROM relations WHERE from_user = :gone AND to_user = :owner")
    assert session.scalars(kinds, {"gone": life.person, "owner": owner}).all() == ["r"]


def test_a_person_never_seen_becomes_a_tombstone_that_nothing_revives(
    client: FlaskClient, session: Session
) -> None:
    account_id = new_id()

    delete_account(session, account_id)
    deliver(
        session,
        "auth.account.created.v1",
        account_id=account_id,
        display_name="Puffin",
        picture_url="http://p",
    )
    session.commit()

    assert client.get("/v1/users/me", headers=bearer(account_id)).status_code == 404
    row = session.execute(select(PROFILES).where(PROFILES.c.user_id == account_id)).one()
    assert (row.display_name, row.avatar_url) == ("", None)
    assert row.deleted_at is not None

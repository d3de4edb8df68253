"""Edits of posts: versions, revisions, what is announced, and what readers are told."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from factories.social_events import emitted
from factories.social_people import add_noise, make_person, make_private, relate
from factories.social_posts import add_post_noise, like, media_ready
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.operations.publishing import hide_post
from igloo_social.schemas.revisions import RevisionsPageSchema

Json = dict[str, Any]


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session, username="hare")
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


@pytest.fixture
def follower(session: Session, author: UUID) -> UUID:
    person = make_person(session)
    relate(session, person, "f", author)
    session.commit()
    return person


def post(client: FlaskClient, author: UUID, **body: object) -> Json:
    reply = client.post("/v1/posts", json={"caption": "One", **body}, headers=bearer(author))
    assert reply.status_code == 201, reply.get_json()
    made: Json = reply.get_json()
    return made


def edit(client: FlaskClient, author: UUID, post_id: object, **body: object) -> Json:
    reply = client.patch(f"/v1/posts/{post_id}", json=body, headers=bearer(author))
    assert reply.status_code == 200, reply.get_json()
    shown: Json = reply.get_json()
    return shown


def captions(client: FlaskClient, post_id: object, viewer: UUID | None) -> list[str]:
    headers = bearer(viewer) if viewer else {}
    reply = client.get(f"/v1/posts/{post_id}/revisions", headers=headers)
    assert reply.status_code == 200, reply.get_json()
    assert RevisionsPageSchema().validate(reply.get_json()) == {}
    return [revision["caption"] for revision in reply.get_json()["data"]]


def changes(session: Session) -> list[str]:
    return [data["post_id"] for data in emitted(session, "social.post.changed.v1")]


def test_an_edit_keeps_the_words_that_it_replaces(
    client: FlaskClient, session: Session, author: UUID, follower: UUID
) -> None:
    made = post(client, author)
    other = post(client, author)
    edit(client, author, other["id"], caption="Noise")

    second = edit(client, author, made["id"], caption="Two")
    third = edit(client, author, made["id"], caption="Three")

    reply = client.get(f"/v1/posts/{made['id']}/revisions", headers=bearer(follower)).get_json()
    assert reply["data"] == [
        {
            "number": 2,
            "caption": "Two",
            "visibility": "public",
            "written_at": second["edited_at"],
            "replaced_at": third["edited_at"],
        },
        {
            "number": 1,
            "caption": "One",
            "visibility": "public",
            "written_at": made["created_at"],
            "replaced_at": second["edited_at"],
        },
    ]
    assert changes(session) == [other["id"], made["id"], made["id"]]


def test_only_new_words_are_an_edit_that_shows(client: FlaskClient, session: Session, author: UUID) -> None:
    made = post(client, author)

    closed = edit(client, author, made["id"], comments_open=False)
    narrowed = edit(client, author, made["id"], visibility="followers")
    same = edit(client, author, made["id"], caption="One", visibility="followers", comments_open=False)

    assert (made["comments_open"], closed["comments_open"]) == (True, False)
    assert narrowed["visibility"] == "followers"
    assert (same["edited_at"], captions(client, made["id"], author)) == (None, [])
    assert changes(session) == [made["id"]] * 2


def test_comments_may_be_closed_from_the_start(client: FlaskClient, author: UUID) -> None:
    assert post(client, author, comments_open=False)["comments_open"] is False


@pytest.mark.parametrize("body", [{"comments_open": "maybe"}, {"comments_open": None}])
def test_comments_are_open_or_not(client: FlaskClient, author: UUID, body: Json) -> None:
    reply = client.post("/v1/posts", json={"caption": "One", **body}, headers=bearer(author))

    assert (reply.status_code, reply.get_json()["errors"][0]["pointer"]) == (422, "/comments_open")


def test_a_revision_is_shown_to_whom_the_post_was_shown_then(
    client: FlaskClient, session: Session, author: UUID, follower: UUID
) -> None:
    made = post(client, author, caption="For me", visibility="private")
    edit(client, author, made["id"], caption="For followers", visibility="followers")
    edit(client, author, made["id"], caption="For all", visibility="public")
    edit(client, author, made["id"], caption="For all still")

    stranger = make_person(session)
    session.commit()
    seen = [captions(client, made["id"], viewer) for viewer in (author, follower, stranger, None)]

    assert seen == [
        ["For all", "For followers", "For me"],
        ["For all", "For followers"],
        ["For all"],
        ["For all"],
    ]


def test_nobody_reads_what_was_replaced_before_the_post_came_out(
    client: FlaskClient, session: Session, author: UUID, follower: UUID
) -> None:
    media_id = new_id()
    made = post(client, author, media_ids=[str(media_id)])
    edit(client, author, made["id"], caption="Two")
    assert changes(session) == []
    media_ready(session, media_id, author)
    session.commit()

    assert captions(client, made["id"], author) == ["One"]
    assert captions(client, made["id"], follower) == []


def test_who_does_not_see_the_post_sees_no_revision(
    client: FlaskClient, session: Session, author: UUID, follower: UUID
) -> None:
    made = post(client, author)
    edit(client, author, made["id"], caption="Two")
    blocked, stranger = make_person(session), make_person(session)
    relate(session, author, "b", blocked)
    make_private(session, author)
    session.commit()

    for viewer in (blocked, stranger):
        reply = client.get(f"/v1/posts/{made['id']}/revisions", headers=bearer(viewer))
        assert (reply.status_code, reply.get_json()["code"]) == (404, "post_not_found")
    assert captions(client, made["id"], follower) == ["One"]
    hide_post(session, post_id=UUID(made["id"]), author_id=author, now=utc_now())
    session.commit()
    assert captions(client, made["id"], author) == ["One"]
    reply = client.get(f"/v1/posts/{made['id']}/revisions", headers=bearer(follower))
    assert reply.status_code == 404
    client.delete(f"/v1/posts/{made['id']}", headers=bearer(author))
    reply = client.get(f"/v1/posts/{made['id']}/revisions", headers=bearer(author))
    assert reply.status_code == 404


def test_a_history_is_paged_and_a_short_page_is_not_the_end(
    client: FlaskClient, session: Session, author: UUID, follower: UUID
) -> None:
    made = post(client, author, caption="0")
    for number in range(1, 6):
        edit(
            client, author, made["id"], caption=str(number), visibility="private" if number == 2 else "public"
        )
    path, pages, cursor = f"/v1/posts/{made['id']}/revisions?limit=2", [], ""
    while True:
        page = client.get(path + cursor, headers=bearer(follower)).get_json()
        pages.append([revision["caption"] for revision in page["data"]])
        if page["page"]["next_cursor"] is None:
            break
        cursor = f"&cursor={page['page']['next_cursor']}"

    back = client.get(f"{path}&cursor={page['page']['prev_cursor']}", headers=bearer(follower)).get_json()

    assert pages == [["4", "3"], ["1"], ["0"]]
    assert [revision["caption"] for revision in back["data"]] == ["1"]
    strange = client.get(path + cursor, headers=bearer(author))
    assert (strange.status_code, strange.get_json()["code"]) == (400, "invalid_cursor")


def test_an_edit_of_another_version_is_refused_and_likes_do_not_matter(
    client: FlaskClient, session: Session, author: UUID, follower: UUID
) -> None:
    made = post(client, author)
    path = f"/v1/posts/{made['id']}"
    first = client.get(path, headers=bearer(author))
    like(session, follower, UUID(made["id"]))
    session.commit()
    liked = client.get(path, headers=bearer(author))

    def patch(tag: str, caption: str) -> tuple[int, str | None]:
        reply = client.patch(path, json={"caption": caption}, headers={**bearer(author), "If-Match": tag})
        return reply.status_code, reply.get_json().get("code")

    assert first.headers["ETag"] != liked.headers["ETag"]
    assert patch(first.headers["ETag"], "Two") == (200, None)
    assert patch(first.headers["ETag"], "Three") == (412, "post_changed")
    assert patch(liked.headers["ETag"], "Three") == (412, "post_changed")
    assert patch('"nonsense"', "Three") == (412, "post_changed")
    assert patch("*", "Three") == (200, None)
    assert client.get(path, headers=bearer(author)).get_json()["caption"] == "Three"
    assert client.get(path, headers={**bearer(author), "If-Match": "x"}).status_code == 200


def test_a_post_is_not_sent_again_to_whom_has_it(client: FlaskClient, author: UUID, follower: UUID) -> None:
    made = post(client, author)
    path = f"/v1/posts/{made['id']}"
    tag = client.get(path, headers=bearer(author)).headers["ETag"]

    again = client.get(path, headers={**bearer(author), "If-None-Match": tag})
    edit(client, author, made["id"], caption="Two")
    changed = client.get(path, headers={**bearer(author), "If-None-Match": tag})

    assert (again.status_code, again.get_data()) == (304, b"")
    assert changed.status_code == 200


def test_an_edit_of_a_private_post_that_opens_it_is_published_and_changed(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    made = post(client, author, visibility="private")

    edit(client, author, made["id"], visibility="followers")

    assert changes(session) == [made["id"]]
    assert len(emitted(session, "social.post.published.v1")) == 2

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from factories.social_events import emitted
from factories.social_people import LONG_AGO, add_noise, make_person
from factories.social_posts import RENDITIONS, add_post_noise, media_deleted, media_failed, media_ready
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.images import MEDIA_ITEMS
from igloo_social.operations.publishing import fail_stranded_posts
from igloo_social.schemas.notifications import NotificationsPageSchema
from igloo_social.schemas.posts import PostSchema

NOW = LONG_AGO + timedelta(days=100)


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session)
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


@pytest.fixture
def other(session: Session) -> UUID:
    person = make_person(session)
    session.commit()
    return person


def post_of(client: FlaskClient, author: UUID, *media_ids: UUID) -> dict[str, Any]:
    body = {"media_ids": [str(media_id) for media_id in media_ids]}
    reply = client.post("/v1/posts", json=body, headers=bearer(author))
    assert reply.status_code == 201, reply.get_json()
    made: dict[str, Any] = reply.get_json()
    return made


def read(client: FlaskClient, author: UUID, post: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"/v1/posts/{post['id']}", headers=bearer(author)).get_json()
    assert PostSchema().validate(shown) == {}
    return shown


def events(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(text("SELECT type FROM outbox ORDER BY id")))


def told(client: FlaskClient, person: UUID) -> list[tuple[str, str | None]]:
    page = client.get("/v1/notifications", headers=bearer(person)).get_json()
    assert NotificationsPageSchema().validate(page) == {}
    return [(told["kind"], told["post_id"]) for told in page["data"]]


def test_a_post_whose_media_are_on_their_way_waits_unseen(
    client: FlaskClient, session: Session, author: UUID, other: UUID
) -> None:
    ready, coming = new_id(), new_id()
    media_ready(session, ready, author)
    session.commit()

    post = post_of(client, author, coming, ready)

    assert (post["state"], post["published_at"]) == ("processing", None)
    assert [image["media_id"] for image in post["images"]] == [str(coming), str(ready)]
    assert post["images"][0]["width"] is None
    assert post["images"][0]["renditions"] == {}
    assert post["images"][1]["width"] == 2048
    assert PostSchema().validate(post) == {}
    assert client.get(f"/v1/posts/{post['id']}", headers=bearer(other)).status_code == 404
    assert client.get("/v1/feed", headers=bearer(author)).get_json()["data"] == []
    assert events(session) == []


def test_a_post_comes_out_whole_when_the_last_of_its_media_is_ready(
    client: FlaskClient, session: Session, author: UUID, other: UUID
) -> None:
    media_ids = [new_id() for _ in range(3)]
    post = post_of(client, author, *media_ids)
    states = []
    for minutes, media_id in enumerate(reversed(media_ids)):
        media_ready(session, media_id, author, now=NOW + timedelta(minutes=minutes))
        session.commit()
        states.append(read(client, author, post)["state"])

    shown = client.get(f"/v1/posts/{post['id']}", headers=bearer(other)).get_json()

    assert states == ["processing", "processing", "published"]
    assert [image["media_id"] for image in shown["images"]] == [str(media_id) for media_id in media_ids]
    assert {image["width"] for image in shown["images"]} == {2048}
    assert datetime.fromisoformat(shown["published_at"]) == NOW + timedelta(minutes=2)
    assert events(session) == ["social.post.published.v1"]
    feed = client.get("/v1/feed", headers=bearer(author)).get_json()["data"]
    assert [entry["id"] for entry in feed] == [post["id"]]


def test_an_event_that_comes_twice_publishes_once(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_id = new_id()
    post = post_of(client, author, media_id)

    for hours in (1, 2):
        media_ready(session, media_id, author, now=NOW + timedelta(hours=hours))
        session.commit()

    assert datetime.fromisoformat(read(client, author, post)["published_at"]) == NOW + timedelta(hours=1)
    assert events(session) == ["social.post.published.v1"]


@pytest.mark.parametrize("how", ["failed", "foreign", "attached"])
def test_a_post_that_cannot_be_whole_fails_where_its_author_sees_it(
    client: FlaskClient, session: Session, author: UUID, other: UUID, how: str
) -> None:
    fine, bad = new_id(), new_id()
    media_ready(session, fine, author)
    session.commit()
    if how == "attached":
        first = post_of(client, author, bad)
    post = post_of(client, author, fine, bad)

    if how == "failed":
        media_failed(session, bad, author)
    else:
        media_ready(session, bad, other if how == "foreign" else author)
    session.commit()

    shown = read(client, author, post)
    code = {"failed": "media_failed", "foreign": "media_not_owned", "attached": "media_already_attached"}[how]
    assert (shown["state"], shown["failure"]["code"]) == ("failed", code)
    assert told(client, author) == [("post_failed", post["id"])]
    assert told(client, other) == []
    assert client.get(f"/v1/posts/{post['id']}", headers=bearer(other)).status_code == 404
    assert events(session) == (["social.post.published.v1"] if how == "attached" else [])
    if how == "attached":
        assert read(client, author, first)["state"] == "published"
    again = post_of(client, author, fine)
    assert again["state"] == "published"


def test_media_of_somebody_else_cannot_be_squatted(
    client: FlaskClient, session: Session, author: UUID, other: UUID
) -> None:
    media_id = new_id()
    theirs = post_of(client, other, media_id)
    mine = post_of(client, author, media_id)

    media_ready(session, media_id, author)
    session.commit()

    assert read(client, other, theirs)["failure"]["code"] == "media_not_owned"
    assert read(client, author, mine)["state"] == "published"


def test_a_medium_that_fails_after_it_was_ready_fails_the_post_that_still_waits(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    first, second = new_id(), new_id()
    post = post_of(client, author, first, second)
    media_ready(session, first, author)

    media_failed(session, first, author)
    session.commit()

    assert read(client, author, post)["failure"]["code"] == "media_failed"


def test_a_change_of_the_alt_text_reaches_the_published_post(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_id = new_id()
    post = post_of(client, author, media_id)
    media_ready(session, media_id, author)
    session.commit()
    before = read(client, author, post)

    media_ready(session, media_id, author, alt_text="A walrus")
    session.commit()

    assert before["images"][0]["alt_text"] is None
    assert read(client, author, post)["images"][0]["alt_text"] == "A walrus"


def test_a_deleted_post_is_not_brought_back_by_its_media(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_id = new_id()
    post = post_of(client, author, media_id)
    client.delete(f"/v1/posts/{post['id']}", headers=bearer(author))

    media_ready(session, media_id, author)
    session.commit()

    assert client.get(f"/v1/posts/{post['id']}", headers=bearer(author)).status_code == 404
    assert events(session) == ["social.post.deleted.v1"]
    assert post_of(client, author, media_id)["state"] == "published"


def test_media_that_nobody_asked_for_yet_are_kept_for_later(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_id = new_id()
    media_failed(session, media_id, author)
    media_ready(session, media_id, author)
    session.commit()

    row = session.execute(select(MEDIA_ITEMS).where(MEDIA_ITEMS.c.media_id == media_id)).one()

    assert (row.state, row.post_id, row.failure_code) == ("ready", None, None)
    assert post_of(client, author, media_id)["state"] == "published"


def test_the_sweeper_fails_only_what_has_waited_too_long(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    fine = new_id()
    media_ready(session, fine, author)
    session.commit()
    stranded, fresh = post_of(client, author, fine, new_id()), post_of(client, author, new_id())
    created = datetime.fromisoformat(fresh["created_at"])

    failed = fail_stranded_posts(session, created_before=created, now=NOW)
    again = fail_stranded_posts(session, created_before=created, now=NOW)
    session.commit()

    assert (failed, again) == (1, 0)
    assert read(client, author, stranded)["failure"]["code"] == "media_missing"
    assert read(client, author, fresh)["state"] == "processing"
    assert told(client, author) == [("post_failed", stranded["id"])]
    assert post_of(client, author, fine)["state"] == "published"


def test_a_photo_that_is_deleted_before_its_post_is_out_fails_the_post(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    first, second = new_id(), new_id()
    post = post_of(client, author, first, second)
    media_ready(session, first, author)

    media_deleted(session, second, author)
    session.commit()

    assert read(client, author, post)["failure"]["code"] == "media_deleted"
    assert post_of(client, author, first)["state"] == "published"


def test_a_deleted_photo_cannot_be_posted(client: FlaskClient, session: Session, author: UUID) -> None:
    media_id = new_id()
    media_ready(session, media_id, author)
    media_deleted(session, media_id, author)
    session.commit()

    reply = client.post("/v1/posts", json={"media_ids": [str(media_id)]}, headers=bearer(author))

    assert (reply.status_code, reply.get_json()["code"]) == (422, "media_not_usable")
    (error,) = reply.get_json()["errors"]
    assert (error["pointer"], error["code"]) == ("/media_ids/0", "media_deleted")


def test_a_photo_that_is_deleted_right_after_its_post_came_out_leaves_it(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_ids = [new_id() for _ in range(3)]
    for media_id in media_ids:
        media_ready(session, media_id, author)
    session.commit()
    post = post_of(client, author, *media_ids)

    for _ in range(2):
        media_deleted(session, media_ids[1], author)
        session.commit()

    shown = read(client, author, post)
    assert shown["state"] == "published"
    assert [image["media_id"] for image in shown["images"]] == [str(media_ids[0]), str(media_ids[2])]
    assert [data["post_id"] for data in emitted(session, "social.post.changed.v1")] == [post["id"]]
    client.delete(f"/v1/posts/{post['id']}", headers=bearer(author))
    (gone,) = emitted(session, "social.post.deleted.v1")
    assert gone["media_ids"] == [str(media_ids[0]), str(media_ids[2])]


@pytest.mark.parametrize("caption", ["", "Words stay"])
def test_a_post_that_lost_its_only_photo_fails_unless_it_says_something(
    client: FlaskClient, session: Session, author: UUID, other: UUID, caption: str
) -> None:
    media_id = new_id()
    media_ready(session, media_id, author)
    session.commit()
    body = {"caption": caption, "media_ids": [str(media_id)]}
    post = client.post("/v1/posts", json=body, headers=bearer(author)).get_json()

    media_deleted(session, media_id, author)
    session.commit()

    shown = read(client, author, post)
    feed = client.get("/v1/feed", headers=bearer(author)).get_json()["data"]
    count = client.get(f"/v1/users/{author}", headers=bearer(other)).get_json()["post_count"]
    assert shown["images"] == []
    if caption:
        assert (shown["state"], len(feed), count) == ("published", 1, 1)
        assert told(client, author) == []
    else:
        assert (shown["state"], shown["failure"]["code"]) == ("failed", "media_deleted")
        assert (feed, count, shown["published_at"]) == ([], 0, None)
        assert told(client, author) == [("post_failed", post["id"])]
    assert [data["post_id"] for data in emitted(session, "social.post.changed.v1")] == [post["id"]]
    profile = client.get("/v1/users/me", headers=bearer(author)).get_json()
    assert profile["post_count"] == 1


def test_new_words_for_a_photo_are_a_change_of_the_post(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_id = new_id()
    media_ready(session, media_id, author)
    session.commit()
    post = post_of(client, author, media_id)

    for alt_text in ("A walrus", "A walrus", "Two"):
        media_ready(session, media_id, author, alt_text=alt_text)
        session.commit()

    assert read(client, author, post)["images"][0]["alt_text"] == "Two"
    assert [data["post_id"] for data in emitted(session, "social.post.changed.v1")] == [post["id"]] * 2


def test_a_thumbnail_cut_anew_and_its_point_are_a_change_of_the_post(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_id = new_id()
    media_ready(session, media_id, author)
    session.commit()
    post = post_of(client, author, media_id)
    before = read(client, author, post)["images"][0]
    thumb, *others = RENDITIONS
    said = {
        "focal_point": {"x": 0.0, "y": 0.75},
        "renditions": [{**thumb, "version": 2}, *({**each, "is_animated": True} for each in others)],
    }

    for _ in range(2):
        media_ready(session, media_id, author, **said)
        session.commit()

    after = read(client, author, post)["images"][0]
    assert (before["focal_point"], after["focal_point"]) == (None, {"x": 0.0, "y": 0.75})
    assert f"/media/{media_id}/thumb?" in before["renditions"]["thumb"]["url"]
    assert f"/media/{media_id}/thumb_2?" in after["renditions"]["thumb"]["url"]
    assert [after["renditions"][name]["is_animated"] for name in ("thumb", "feed", "full")] == [
        False,
        True,
        True,
    ]
    assert [data["post_id"] for data in emitted(session, "social.post.changed.v1")] == [post["id"]]


def test_a_point_is_taken_back(client: FlaskClient, session: Session, author: UUID) -> None:
    media_id = new_id()
    post = post_of(client, author, media_id)
    media_ready(session, media_id, author, focal_point={"x": 0.5, "y": 0.5})
    session.commit()
    assert read(client, author, post)["images"][0]["focal_point"] == {"x": 0.5, "y": 0.5}

    media_ready(session, media_id, author, focal_point=None)
    session.commit()

    assert read(client, author, post)["images"][0]["focal_point"] is None

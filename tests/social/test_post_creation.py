from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from factories.social_people import add_noise, make_person
from factories.social_posts import add_post_noise, make_post, media_failed, media_ready
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_common.signatures import verify_path
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.timeline import TIMELINE
from igloo_social.schemas.posts import PostSchema


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session, username="hare", display_name="Snow Hare")
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


def ready_media(session: Session, owner_id: UUID, count: int) -> list[UUID]:
    media_ids = [new_id() for _ in range(count)]
    for media_id in media_ids:
        media_ready(session, media_id, owner_id)
    session.commit()
    return media_ids


def emitted(session: Session) -> list[tuple[str, dict[str, Any]]]:
    session.rollback()
    rows = session.execute(text("SELECT type, convert_from(payload, 'UTF8')::json FROM outbox ORDER BY id"))
    return [(row[0], row[1]) for row in rows]


def codes(reply: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - the test client's response
    return [(error["pointer"], error["code"]) for error in reply.get_json()["errors"]]


def test_a_caption_alone_is_published_at_once(client: FlaskClient, session: Session, author: UUID) -> None:
    reply = client.post("/v1/posts", json={"caption": " 첫 눈 ❄ "}, headers=bearer(author))

    assert reply.status_code == 201
    post = reply.get_json()
    assert PostSchema().validate(post) == {}
    assert post["caption"] == "첫 눈 ❄"
    assert post["author"] == {
        "id": str(author),
        "username": "hare",
        "display_name": "Snow Hare",
        "avatar_url": None,
    }
    assert (post["state"], post["visibility"], post["failure"], post["images"]) == (
        "published",
        "public",
        None,
        [],
    )
    assert (post["like_count"], post["comment_count"], post["liked"]) == (0, 0, False)
    assert post["published_at"] == post["created_at"]
    assert post["edited_at"] is None
    assert emitted(session) == [
        (
            "social.post.published.v1",
            {
                "post_id": post["id"],
                "author_id": str(author),
                "media_ids": [],
                "published_at": post["published_at"],
            },
        )
    ]


def test_images_stand_in_the_clients_order_with_working_addresses(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_ids = ready_media(session, author, 10)[::-1]

    reply = client.post("/v1/posts", json={"media_ids": [str(m) for m in media_ids]}, headers=bearer(author))

    post = reply.get_json()
    assert PostSchema().validate(post) == {}
    assert post["state"] == "published"
    assert [image["media_id"] for image in post["images"]] == [str(m) for m in media_ids]
    first = post["images"][0]
    assert (first["width"], first["height"]) == (2048, 1536)
    assert first["blurhash"] == "LEHV6nWB2yk8pyo0adR*.7kCMdnj"
    assert first["renditions"]["feed"]["width"] == 1080
    address = first["renditions"]["feed"]["url"]
    assert address.startswith(f"http://igloo.test/media/{media_ids[0]}/feed?expires=")
    assert emitted(session)[0][1]["media_ids"] == [str(m) for m in media_ids]


def test_an_address_is_what_the_media_service_accepts_and_stays_the_same_for_a_while(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    (media_id,) = ready_media(session, author, 1)
    post = client.post("/v1/posts", json={"media_ids": [str(media_id)]}, headers=bearer(author)).get_json()

    address = urlsplit(post["images"][0]["renditions"]["thumb"]["url"])

    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    keys = ["an-address-signing-key-for-tests-only-1"]
    assert verify_path(
        address.path, expires=int(query["expires"]), signature=query["signature"], now=utc_now(), keys=keys
    )
    assert int(query["expires"]) % 3600 == 0
    again = client.get(f"/v1/posts/{post['id']}", headers=bearer(author)).get_json()
    assert again["images"] == post["images"]


def test_the_author_reads_their_own_write_at_once(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post_id = client.post("/v1/posts", json={"caption": "Now"}, headers=bearer(author)).get_json()["id"]

    feed = client.get("/v1/feed", headers=bearer(author)).get_json()

    assert [post["id"] for post in feed["data"]] == [post_id]
    profile = client.get("/v1/users/me", headers=bearer(author)).get_json()
    assert profile["post_count"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"media_ids": [str(new_id()) for _ in range(11)]}, [("/media_ids", "too_long")]),
        ({"media_ids": ["00000000-0000-7000-8000-000000000001"] * 2}, [("/media_ids", "duplicate")]),
        ({"media_ids": ["one"]}, [("/media_ids/0", "invalid_type")]),
        ({"media_ids": "one"}, [("/media_ids", "invalid_type")]),
        ({"caption": "a\0b"}, [("/caption", "null_character")]),
        ({"caption": "c" * 2201}, [("/caption", "too_long")]),
        ({"caption": 5}, [("/caption", "invalid_type")]),
        ({"caption": "Hi", "visibility": "friends"}, [("/visibility", "not_a_choice")]),
        ({"caption": "Hi", "title": "?"}, [("/title", "unknown_field")]),
    ],
)
def test_a_bad_body_is_refused_with_a_pointer(
    client: FlaskClient,
    session: Session,
    author: UUID,
    body: dict[str, object],
    expected: list[tuple[str, str]],
) -> None:
    reply = client.post("/v1/posts", json=body, headers=bearer(author))

    assert reply.status_code == 422
    assert codes(reply) == expected
    assert emitted(session) == []


@pytest.mark.parametrize("body", [{}, {"caption": " \n "}, {"media_ids": []}])
def test_a_post_of_nothing_is_refused(client: FlaskClient, author: UUID, body: dict[str, object]) -> None:
    reply = client.post("/v1/posts", json=body, headers=bearer(author))

    assert (reply.status_code, reply.get_json()["code"]) == (422, "empty_post")


def test_an_unpaired_surrogate_in_a_caption_is_malformed(client: FlaskClient, author: UUID) -> None:
    reply = client.post(
        "/v1/posts", data=rb'{"caption": "\ud800"}', content_type="application/json", headers=bearer(author)
    )

    assert reply.status_code == 400


def test_media_that_cannot_be_shown_are_each_pointed_at(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    somebody = make_person(session)
    fine, used = ready_media(session, author, 2)
    foreign, broken = new_id(), new_id()
    media_ready(session, foreign, somebody)
    media_failed(session, broken, author)
    session.commit()
    client.post("/v1/posts", json={"media_ids": [str(used)]}, headers=bearer(author))

    media_ids = [str(media_id) for media_id in (fine, foreign, broken, used)]
    reply = client.post("/v1/posts", json={"media_ids": media_ids}, headers=bearer(author))

    assert (reply.status_code, reply.get_json()["code"]) == (422, "media_not_usable")
    assert codes(reply) == [
        ("/media_ids/1", "media_not_owned"),
        ("/media_ids/2", "media_failed"),
        ("/media_ids/3", "media_already_attached"),
    ]
    free_again = client.post("/v1/posts", json={"media_ids": [str(fine)]}, headers=bearer(author))
    assert free_again.status_code == 201


def test_the_same_key_posts_once(client: FlaskClient, session: Session, author: UUID) -> None:
    headers = {**bearer(author), "Idempotency-Key": "phone-1"}
    first = client.post("/v1/posts", json={"caption": "Once"}, headers=headers)

    second = client.post("/v1/posts", json={"caption": "Once"}, headers=headers)
    other = client.post("/v1/posts", json={"caption": "Twice"}, headers=headers)

    assert second.get_data() == first.get_data()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    session.rollback()
    assert session.scalar(select(func.count()).where(POSTS.c.author_id == author)) == 1


def test_keys_are_each_persons_own_and_refused_requests_leave_none(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    somebody, media_id = make_person(session), new_id()
    media_ready(session, media_id, somebody)
    session.commit()
    mine, theirs = ({**bearer(person), "Idempotency-Key": "phone-1"} for person in (author, somebody))

    refused = client.post("/v1/posts", json={"media_ids": [str(media_id)]}, headers=mine)
    replies = [
        client.post("/v1/posts", json={"caption": "Hi"}, headers=headers) for headers in (mine, theirs)
    ]

    assert refused.status_code == 422
    assert [reply.status_code for reply in replies] == [201, 201]
    assert len({reply.get_json()["id"] for reply in replies}) == 2


def test_a_stranger_to_the_service_needs_a_token(client: FlaskClient) -> None:
    assert client.post("/v1/posts", json={"caption": "Hi"}).status_code == 401
    assert client.get("/v1/feed").status_code == 401


def test_a_deleted_post_is_gone_for_all_and_announced_once(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    media_ids = [str(media_id) for media_id in ready_media(session, author, 2)]
    post_id = client.post("/v1/posts", json={"media_ids": media_ids}, headers=bearer(author)).get_json()["id"]

    first = client.delete(f"/v1/posts/{post_id}", headers=bearer(author))
    second = client.delete(f"/v1/posts/{post_id}", headers=bearer(author))

    assert (first.status_code, second.status_code) == (204, 204)
    assert client.get(f"/v1/posts/{post_id}", headers=bearer(author)).status_code == 404
    assert client.get("/v1/feed", headers=bearer(author)).get_json()["data"] == []
    events = [data for kind, data in emitted(session) if kind == "social.post.deleted.v1"]
    assert len(events) == 1
    assert events[0]["media_ids"] == media_ids
    assert session.scalar(select(PROFILES.c.post_count).where(PROFILES.c.user_id == author)) == 0
    assert session.scalar(select(func.count()).where(TIMELINE.c.owner_id == author)) == 0


def test_only_the_author_deletes_or_edits(client: FlaskClient, session: Session, author: UUID) -> None:
    somebody = make_person(session)
    shown, hidden = make_post(session, author), make_post(session, author, visibility="private")
    session.commit()

    replies = [
        client.delete(f"/v1/posts/{shown}", headers=bearer(somebody)),
        client.patch(f"/v1/posts/{shown}", json={"caption": "Mine"}, headers=bearer(somebody)),
        client.delete(f"/v1/posts/{hidden}", headers=bearer(somebody)),
        client.delete(f"/v1/posts/{new_id()}", headers=bearer(somebody)),
    ]

    assert [(reply.status_code, reply.get_json()["code"]) for reply in replies] == [
        (403, "not_your_post"),
        (403, "not_your_post"),
        (404, "post_not_found"),
        (404, "post_not_found"),
    ]
    assert client.get(f"/v1/posts/{shown}", headers=bearer(author)).get_json()["caption"] == "Snow"


def test_an_edit_leaves_a_mark_and_only_when_something_changed(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post_id = make_post(session, author, caption="Snow")
    session.commit()

    same = client.patch(f"/v1/posts/{post_id}", json={"caption": "Snow"}, headers=bearer(author)).get_json()
    other = client.patch(f"/v1/posts/{post_id}", json={"caption": "Ice"}, headers=bearer(author)).get_json()

    assert same["edited_at"] is None
    assert (other["caption"], other["visibility"]) == ("Ice", "public")
    assert datetime.fromisoformat(other["edited_at"]) > datetime.fromisoformat(other["created_at"])


def test_an_edit_cannot_empty_a_post(client: FlaskClient, session: Session, author: UUID) -> None:
    post_id = make_post(session, author, caption="Snow")
    session.commit()

    reply = client.patch(f"/v1/posts/{post_id}", json={"caption": ""}, headers=bearer(author))

    assert (reply.status_code, reply.get_json()["code"]) == (422, "empty_post")


def test_a_private_post_that_is_opened_is_announced_again(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post = client.post(
        "/v1/posts", json={"caption": "Secret", "visibility": "private"}, headers=bearer(author)
    ).get_json()

    client.patch(f"/v1/posts/{post['id']}", json={"visibility": "followers"}, headers=bearer(author))

    announced = [data for kind, data in emitted(session) if kind == "social.post.published.v1"]
    assert [data["published_at"] for data in announced] == [post["published_at"]] * 2

from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_person, relate
from factories.social_posts import add_post_noise, like, make_post, media_ready, put_in_feed
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.posts import POSTS
from igloo_social.schemas.feed import FeedPageSchema


@pytest.fixture
def reader(session: Session) -> UUID:
    person = make_person(session)
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


def fill_feed(session: Session, owner: UUID, author: UUID, count: int, *, apart: timedelta) -> list[str]:
    """Put posts into a feed and return their ids, the last published first."""
    made = []
    for number in range(count):
        at = LONG_AGO + number * apart
        post_id = make_post(session, author, at=at)
        put_in_feed(session, owner, post_id, author, at=at)
        made.append(str(post_id))
    session.commit()
    return made[::-1]


def ids(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [post["id"] for post in page["data"]]


@pytest.mark.parametrize("apart", [timedelta(seconds=1), timedelta(0)])
def test_the_feed_pages_to_its_end_and_back(
    client: FlaskClient, session: Session, reader: UUID, apart: timedelta
) -> None:
    author = make_person(session)
    expected = fill_feed(session, reader, author, 7, apart=apart)
    headers = bearer(reader)

    pages = [client.get("/v1/feed?limit=3", headers=headers).get_json()]
    while cursor := pages[-1]["page"]["next_cursor"]:
        pages.append(client.get(f"/v1/feed?limit=3&cursor={cursor}", headers=headers).get_json())
    back = client.get(
        f"/v1/feed?limit=3&cursor={pages[-1]['page']['prev_cursor']}", headers=headers
    ).get_json()

    assert [post_id for page in pages for post_id in ids(page)] == expected
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    assert ids(back) == ids(pages[1])


def test_the_way_to_newer_posts_leads_to_those_that_came_since(
    client: FlaskClient, session: Session, reader: UUID
) -> None:
    author = make_person(session)
    fill_feed(session, reader, author, 2, apart=timedelta(seconds=1))
    headers = bearer(reader)
    first = client.get("/v1/feed", headers=headers).get_json()
    nothing_new = client.get(f"/v1/feed?cursor={first['page']['prev_cursor']}", headers=headers).get_json()
    at = LONG_AGO + timedelta(hours=1)
    post_id = make_post(session, author, at=at)
    put_in_feed(session, reader, post_id, author, at=at)
    session.commit()

    newer = client.get(f"/v1/feed?cursor={nothing_new['page']['prev_cursor']}", headers=headers).get_json()

    assert nothing_new["data"] == []
    assert ids(newer) == [str(post_id)]


def test_an_empty_feed_is_an_empty_page(client: FlaskClient, reader: UUID) -> None:
    feed = client.get("/v1/feed", headers=bearer(reader)).get_json()

    token = feed["page"].pop("changes_since")
    assert feed == {"data": [], "page": {"next_cursor": None, "prev_cursor": None, "covers": None}}
    assert token


def test_a_page_whose_posts_are_all_hidden_still_leads_on(
    client: FlaskClient, session: Session, reader: UUID
) -> None:
    author = make_person(session)
    expected = fill_feed(session, reader, author, 5, apart=timedelta(seconds=1))
    hidden = [UUID(post_id) for post_id in expected[:2]]
    session.execute(update(POSTS).where(POSTS.c.id.in_(hidden)).values(visibility="private"))
    session.commit()

    first = client.get("/v1/feed?limit=2", headers=bearer(reader)).get_json()
    address = f"/v1/feed?limit=2&cursor={first['page']['next_cursor']}"
    second = client.get(address, headers=bearer(reader)).get_json()

    assert ids(first) == []
    assert ids(second) == expected[2:4]


def test_a_post_in_the_feed_is_whole(client: FlaskClient, session: Session, reader: UUID) -> None:
    author = make_person(session, username="hare")
    media_ids = [new_id() for _ in range(3)]
    for media_id in media_ids:
        media_ready(session, media_id, author, alt_text="얼음")
    relate(session, reader, "f", author)
    session.commit()
    body = {"caption": "Ice", "media_ids": [str(media_id) for media_id in media_ids]}
    posted = client.post("/v1/posts", json=body, headers=bearer(author)).get_json()
    put_in_feed(session, reader, UUID(posted["id"]), author)
    like(session, reader, UUID(posted["id"]))
    session.commit()

    feed = client.get("/v1/feed", headers=bearer(reader)).get_json()

    assert FeedPageSchema().validate(feed) == {}
    assert feed["data"] == [{**posted, "liked": True, "like_count": 1}]
    assert feed["data"][0]["images"][0]["alt_text"] == "얼음"


def test_liked_is_the_readers_own(client: FlaskClient, session: Session, reader: UUID) -> None:
    author, other = make_person(session), make_person(session)
    fill_feed(session, reader, author, 1, apart=timedelta(seconds=1))
    feed = client.get("/v1/feed", headers=bearer(reader)).get_json()
    like(session, other, UUID(feed["data"][0]["id"]))
    session.commit()

    post = client.get("/v1/feed", headers=bearer(reader)).get_json()["data"][0]

    assert (post["liked"], post["like_count"]) == (False, 1)


@pytest.mark.parametrize("cursor", ["nonsense", "a" * 56, ""])
def test_an_invented_cursor_is_refused(client: FlaskClient, reader: UUID, cursor: str) -> None:
    reply = client.get(f"/v1/feed?cursor={cursor}", headers=bearer(reader))

    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")


def test_a_cursor_of_another_list_or_person_is_refused(
    client: FlaskClient, session: Session, reader: UUID
) -> None:
    author = make_person(session)
    fill_feed(session, reader, author, 2, apart=timedelta(seconds=1))
    mine = client.get("/v1/feed?limit=1", headers=bearer(reader)).get_json()["page"]["next_cursor"]

    statuses = [
        client.get(f"/v1/feed?cursor={mine}", headers=bearer(author)).status_code,
        client.get(f"/v1/users/{author}/posts?cursor={mine}", headers=bearer(reader)).status_code,
        client.get(f"/v1/notifications?cursor={mine}", headers=bearer(reader)).status_code,
    ]

    assert statuses == [400, 400, 400]


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_limit_out_of_range_is_refused(client: FlaskClient, reader: UUID, limit: str) -> None:
    assert client.get(f"/v1/feed?limit={limit}", headers=bearer(reader)).status_code == 422


def test_the_largest_page_is_as_large_as_asked(client: FlaskClient, session: Session, reader: UUID) -> None:
    author = make_person(session)
    expected = fill_feed(session, reader, author, 101, apart=timedelta(seconds=1))

    page = client.get("/v1/feed?limit=100", headers=bearer(reader)).get_json()

    assert ids(page) == expected[:100]
    assert page["page"]["next_cursor"] is not None

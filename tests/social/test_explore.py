"""Explore and the pages of hashtags: what is on them, in which order, and for whom."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_person, make_private, relate
from factories.social_posts import add_post_noise, make_post, media_ready
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.models.posts import POST_TAGS, POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.publishing import hide_post, restore_post
from igloo_social.schemas.posts import PostsPageSchema

HOUR = timedelta(hours=1)
EXPLORE, TAG = "/v1/explore", "/v1/tags/snow/posts"


@pytest.fixture
def viewer(session: Session) -> UUID:
    person = make_person(session)
    add_noise(session, person)
    session.commit()
    return person


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session)
    session.commit()
    return person


def read(client: FlaskClient, path: str, viewer: UUID | None = None) -> list[str]:
    reply = client.get(path, headers=bearer(viewer) if viewer else {})
    assert reply.status_code == 200, reply.get_json()
    assert PostsPageSchema().validate(reply.get_json()) == {}
    return [post["id"] for post in reply.get_json()["data"]]


def read_through(client: FlaskClient, path: str, viewer: UUID) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = client.get(path + query, headers=bearer(viewer)).get_json()
        pages.append([post["id"] for post in page["data"]])
        cursor = page["page"]["next_cursor"]
    return pages


def tags_of(session: Session, post_id: object) -> set[str]:
    session.rollback()
    return set(session.scalars(select(POST_TAGS.c.tag).where(POST_TAGS.c.post_id == UUID(str(post_id)))))


@pytest.mark.parametrize("path", [EXPLORE, TAG])
def test_what_is_hidden_from_the_viewer_is_not_there(
    client: FlaskClient, session: Session, viewer: UUID, author: UUID, path: str
) -> None:
    blocked, blocking, muted, ended, suspended = (make_person(session) for _ in range(5))
    relate(session, viewer, "b", blocked)
    relate(session, blocking, "b", viewer)
    relate(session, viewer, "m", muted)
    for person, column in ((ended, "deleted_at"), (suspended, "suspended_at")):
        session.execute(update(PROFILES).where(PROFILES.c.user_id == person).values({column: LONG_AGO}))
    for person in (blocked, blocking, muted, ended, suspended):
        make_post(session, person, caption="#snow")
    shown = make_post(session, author, caption="#snow")
    for state in ("hidden", "processing"):
        make_post(session, author, caption="#snow", state=state)
    make_post(session, author, caption="#snow", visibility="private")
    make_post(session, author, caption="#snow", deleted_at=LONG_AGO)
    session.commit()

    assert read(client, path, viewer) == [str(shown)]


def test_explore_is_for_everybody_or_not_at_all(
    client: FlaskClient, session: Session, viewer: UUID, author: UUID
) -> None:
    private = make_person(session)
    make_private(session, private)
    for person in (private, author):
        relate(session, viewer, "f", person)
    make_post(session, private)
    make_post(session, author, visibility="followers")
    shown = make_post(session, author, at=LONG_AGO + HOUR)
    mine = make_post(session, viewer)
    session.commit()

    for reader in (viewer, author, private, None):
        assert read(client, EXPLORE, reader) == [str(shown), str(mine)]


def test_explore_lifts_a_post_by_six_hours_for_every_doubling(
    client: FlaskClient, session: Session, viewer: UUID, author: UUID
) -> None:
    older = make_post(session, author, at=LONG_AGO)
    newer = make_post(session, author, at=LONG_AGO + 11 * HOUR)
    session.commit()
    assert read(client, EXPLORE) == [str(newer), str(older)]

    fans = [make_person(session) for _ in range(3)]
    session.commit()
    for fan in fans:
        client.put(f"/v1/posts/{older}/like", headers=bearer(fan))
    assert read(client, EXPLORE) == [str(older), str(newer)]

    client.delete(f"/v1/posts/{older}/like", headers=bearer(fans[0]))
    assert read(client, EXPLORE) == [str(newer), str(older)]


def test_a_tag_page_is_for_whom_sees_the_posts(
    client: FlaskClient, session: Session, viewer: UUID, author: UUID
) -> None:
    private = make_person(session)
    make_private(session, private)
    for person in (private, author):
        relate(session, viewer, "f", person)
    first = make_post(session, private, caption="#Snow #ice")
    second = make_post(session, author, caption="#눈 #SNOW", visibility="followers", at=LONG_AGO + HOUR)
    third = make_post(session, author, caption="#snow", at=LONG_AGO + 2 * HOUR, visibility="private")
    make_post(session, author, caption="#snowy snow")
    session.commit()

    assert read(client, TAG, viewer) == [str(second), str(first)]
    assert read(client, TAG, author) == [str(third), str(second)]
    assert read(client, TAG) == []


@pytest.mark.parametrize("word", ["snow", "SNOW", "%23Snow", "%EF%BC%83%EF%BC%B3now"])
def test_a_tag_is_asked_for_in_any_writing(
    client: FlaskClient, session: Session, author: UUID, word: str
) -> None:
    post_id = make_post(session, author, caption="#Snow")
    session.commit()

    assert read(client, f"/v1/tags/{word}/posts") == [str(post_id)]


@pytest.mark.parametrize("word", ["2026", "snow-hare", "%20", "%23", "a" * 101, "%ff"])
def test_what_cannot_be_a_tag_is_refused(client: FlaskClient, word: str) -> None:
    reply = client.get(f"/v1/tags/{word}/posts")

    assert (reply.status_code, reply.get_json()["code"]) == (422, "tag_malformed")
    (error,) = reply.get_json()["errors"]
    assert (error["pointer"], error["code"]) == ("/tag", "tag_malformed")


def test_a_tag_that_nobody_uses_has_an_empty_page(client: FlaskClient, session: Session) -> None:
    add_post_noise(session)
    session.commit()

    assert read(client, TAG) == []


@pytest.mark.parametrize("path", [EXPLORE, TAG])
def test_pages_go_on_behind_what_is_left_out(
    client: FlaskClient, session: Session, viewer: UUID, author: UUID, path: str
) -> None:
    muted = make_person(session)
    relate(session, viewer, "m", muted)
    posts = [
        make_post(
            session, muted if number in {1, 2, 3} else author, caption="#snow", at=LONG_AGO + number * HOUR
        )
        for number in range(7)
    ]
    session.commit()

    pages = read_through(client, path, viewer)

    assert pages == [[str(posts[6]), str(posts[5])], [str(posts[4])], [], [str(posts[0])]]


@pytest.mark.parametrize("path", [EXPLORE, TAG])
def test_a_cursor_is_one_viewers(
    client: FlaskClient, session: Session, viewer: UUID, author: UUID, path: str
) -> None:
    make_post(session, author, caption="#snow")
    session.commit()
    page = client.get(path, headers=bearer(viewer)).get_json()["page"]

    for other in (client.get(f"{path}?cursor={page['prev_cursor']}"), client.get(f"{path}?cursor=x")):
        assert (other.status_code, other.get_json()["code"]) == (400, "invalid_cursor")
    newer = make_post(session, author, caption="#snow", at=LONG_AGO + HOUR)
    session.commit()
    assert read(client, f"{path}?cursor={page['prev_cursor']}", viewer) == [str(newer)]


def test_a_post_is_on_the_pages_of_its_tags_while_it_is_out(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    def patch(caption: str) -> dict[str, Any]:
        reply = client.patch(f"/v1/posts/{post_id}", json={"caption": caption}, headers=bearer(author))
        edited: dict[str, Any] = reply.get_json()
        return edited

    media_id = new_id()
    made = client.post(
        "/v1/posts", json={"caption": "#Snow #눈", "media_ids": [str(media_id)]}, headers=bearer(author)
    ).get_json()
    post_id = UUID(made["id"])
    assert (made["tags"], tags_of(session, post_id)) == (["snow", "눈"], set())

    media_ready(session, media_id, author)
    session.commit()
    assert tags_of(session, post_id) == {"snow", "눈"}

    assert patch("#snow #Ice")["tags"] == ["snow", "ice"]
    assert tags_of(session, post_id) == {"snow", "ice"}

    for change, tags in ((hide_post, set()), (restore_post, {"snow", "ice"}), (hide_post, set())):
        assert change(session, post_id=post_id, author_id=author, now=utc_now())
        assert not change(session, post_id=post_id, author_id=author, now=utc_now())
        session.commit()
        assert tags_of(session, post_id) == tags
    assert patch("#ice")["tags"] == ["ice"]
    assert tags_of(session, post_id) == set()
    assert restore_post(session, post_id=post_id, author_id=author, now=utc_now())
    session.commit()
    assert tags_of(session, post_id) == {"ice"}

    client.delete(f"/v1/posts/{post_id}", headers=bearer(author))
    assert tags_of(session, post_id) == set()
    assert not restore_post(session, post_id=post_id, author_id=author, now=utc_now())


def test_a_post_keeps_its_place_in_explore_while_it_is_hidden(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post_id = make_post(session, author, like_count=3, rank_at=LONG_AGO + 12 * HOUR)

    hide_post(session, post_id=post_id, author_id=author, now=utc_now())
    restore_post(session, post_id=post_id, author_id=author, now=utc_now())

    row = session.execute(select(POSTS).where(POSTS.c.id == post_id)).one()
    assert (row.state, row.published_at, row.rank_at) == ("published", LONG_AGO, LONG_AGO + 12 * HOUR)

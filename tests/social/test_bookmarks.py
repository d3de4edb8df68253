from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_people, make_person, make_private, relate
from factories.social_posts import add_post_noise, make_post
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.bookmarks import BOOKMARKS
from igloo_social.models.notifications import NOTIFICATIONS
from igloo_social.models.posts import POSTS
from igloo_social.operations.blocks import block_account
from igloo_social.schemas.bookmarks import BookmarkStatusSchema
from igloo_social.schemas.posts import PostsPageSchema

MINE = "/v1/users/me/bookmarks"


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session)
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


@pytest.fixture
def keeper(session: Session, author: UUID) -> UUID:
    person = make_person(session)
    stranger = make_person(session)
    keep(session, stranger, make_post(session, author))
    session.commit()
    return person


def keep(session: Session, user_id: UUID, *post_ids: UUID) -> None:
    for number, post_id in enumerate(post_ids):
        at = LONG_AGO + timedelta(seconds=number)
        session.execute(insert(BOOKMARKS).values(user_id=user_id, post_id=post_id, created_at=at))
    session.commit()


def kept(client: FlaskClient, person: UUID, *, limit: int = 20) -> list[str]:
    """Page through all that a person keeps."""
    page = client.get(f"{MINE}?limit={limit}", headers=bearer(person)).get_json()
    ids = [post["id"] for post in page["data"]]
    while cursor := page["page"]["next_cursor"]:
        page = client.get(f"{MINE}?limit={limit}&cursor={cursor}", headers=bearer(person)).get_json()
        ids += [post["id"] for post in page["data"]]
    return ids


def test_a_post_is_kept_once_and_stays_at_its_place(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    first, second = make_post(session, author), make_post(session, author)
    session.commit()

    replies = [
        client.put(f"/v1/posts/{post}/bookmark", headers=bearer(keeper)) for post in (first, second, first)
    ]

    for reply in replies:
        assert reply.status_code == 200
        assert BookmarkStatusSchema().validate(reply.get_json()) == {}
    assert replies[0].get_json() == {"post_id": str(first), "bookmarked": True}
    assert kept(client, keeper) == [str(second), str(first)]


def test_what_is_dropped_is_kept_no_longer_and_dropping_it_again_is_fine(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    post, other = make_post(session, author), make_post(session, author)
    keep(session, keeper, post, other)

    replies = [client.delete(f"/v1/posts/{post}/bookmark", headers=bearer(keeper)) for _ in range(2)]

    assert [reply.get_json() for reply in replies] == [{"post_id": str(post), "bookmarked": False}] * 2
    assert kept(client, keeper) == [str(other)]


def test_a_list_of_bookmarks_is_made_of_posts_that_say_so(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    post = make_post(session, author, caption="얼음")
    keep(session, keeper, post)

    page = client.get(MINE, headers=bearer(keeper)).get_json()

    assert PostsPageSchema().validate(page) == {}
    assert [(shown["caption"], shown["bookmarked"]) for shown in page["data"]] == [("얼음", True)]


def test_nobody_else_learns_of_a_bookmark(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    post = make_post(session, author)
    session.commit()

    client.put(f"/v1/posts/{post}/bookmark", headers=bearer(keeper))

    assert client.get(f"/v1/posts/{post}", headers=bearer(author)).get_json()["bookmarked"] is False
    assert kept(client, author) == []
    told = select(func.count()).where(NOTIFICATIONS.c.recipient_id == author)
    assert session.scalar(told) == 0


HIDING: dict[str, dict[str, Any]] = {
    "private": {"visibility": "private"},
    "deleted": {"deleted_at": LONG_AGO},
    "processing": {"state": "processing"},
    "hidden": {"state": "hidden", "published_at": LONG_AGO},
}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("how", ["unknown", *HIDING, "blocked", "blocking"])
def test_what_one_cannot_see_one_cannot_keep(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID, *, method: str, how: str
) -> None:
    post_id = new_id() if how == "unknown" else make_post(session, author, **HIDING.get(how, {}))
    if how in {"blocked", "blocking"}:
        relate(session, *((author, "b", keeper) if how == "blocked" else (keeper, "b", author)))
    session.commit()

    reply = client.open(f"/v1/posts/{post_id}/bookmark", method=method, headers=bearer(keeper))

    assert (reply.status_code, reply.get_json()["code"]) == (404, "post_not_found")
    assert session.scalar(select(func.count()).where(BOOKMARKS.c.user_id == keeper)) == 0


def test_ones_own_waiting_post_cannot_be_kept_yet(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post_id = make_post(session, author, state="processing")
    session.commit()

    reply = client.put(f"/v1/posts/{post_id}/bookmark", headers=bearer(author))

    assert (reply.status_code, reply.get_json()["code"]) == (409, "post_not_published")


def test_bookmarks_need_somebody_to_keep_them(client: FlaskClient, session: Session, author: UUID) -> None:
    post_id = make_post(session, author)
    session.commit()

    replies = [
        client.open(path, method=method)
        for method, path in (
            ("GET", MINE),
            ("PUT", f"/v1/posts/{post_id}/bookmark"),
            ("DELETE", f"/v1/posts/{post_id}/bookmark"),
        )
    ]

    assert [reply.status_code for reply in replies] == [401] * 3


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_what_went_out_of_sight_is_left_out_and_the_pages_go_on(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID, *, limit: int
) -> None:
    hidden_author, private = make_people(session, 2)
    make_private(session, private)
    gone = [make_post(session, author, **columns) for columns in HIDING.values()]
    gone += [make_post(session, hidden_author), make_post(session, private)]
    left = [make_post(session, author) for _ in range(2)]
    relate(session, hidden_author, "b", keeper)
    keep(session, keeper, left[0], *gone, left[1])

    assert kept(client, keeper, limit=limit) == [str(left[1]), str(left[0])]


def test_a_bookmark_of_what_went_out_of_sight_can_be_dropped_and_then_is_not_found(
    client: FlaskClient, session: Session, keeper: UUID
) -> None:
    private = make_person(session)
    make_private(session, private)
    post = make_post(session, private)
    keep(session, keeper, post)

    replies = [client.delete(f"/v1/posts/{post}/bookmark", headers=bearer(keeper)) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 404]
    assert replies[0].get_json() == {"post_id": str(post), "bookmarked": False}


def test_a_bookmark_hides_while_a_block_stands(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    post = make_post(session, author)
    keep(session, keeper, post)
    block_account(session, actor_id=author, blocked_id=keeper, now=LONG_AGO)
    session.commit()

    assert kept(client, keeper) == []


def test_a_cursor_of_bookmarks_is_its_owners_alone(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    keep(session, keeper, make_post(session, author), make_post(session, author))
    cursor = client.get(f"{MINE}?limit=1", headers=bearer(keeper)).get_json()["page"]["next_cursor"]

    replies = [
        client.get(f"{MINE}?cursor={cursor}", headers=bearer(author)),
        client.get(f"/v1/feed?cursor={cursor}", headers=bearer(keeper)),
    ]

    assert [(reply.status_code, reply.get_json()["code"]) for reply in replies] == [
        (400, "invalid_cursor")
    ] * 2


def test_a_post_that_comes_into_sight_again_is_listed_again(
    client: FlaskClient, session: Session, author: UUID, keeper: UUID
) -> None:
    post = make_post(session, author, visibility="private")
    keep(session, keeper, post)
    assert kept(client, keeper) == []

    session.execute(update(POSTS).where(POSTS.c.id == post).values(visibility="public"))
    session.commit()

    assert kept(client, keeper) == [str(post)]

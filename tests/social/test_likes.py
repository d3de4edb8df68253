from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from factories.locks import wait_for_a_waiter
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, make_private, relate
from factories.social_posts import add_post_noise, like, make_post
from factories.tokens import bearer
from igloo_common.errors import NotFound
from igloo_common.ids import new_id
from igloo_social.db import db
from igloo_social.models.likes import LIKES
from igloo_social.models.notifications import NOTIFICATIONS
from igloo_social.models.posts import POSTS
from igloo_social.operations.blocks import block_account
from igloo_social.operations.likes import like_post, recount_likes, unlike_post
from igloo_social.operations.posts import delete_post
from igloo_social.schemas.likes import LikeStatusSchema
from igloo_social.schemas.profiles import PeoplePageSchema


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session)
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


@pytest.fixture
def post_id(session: Session, author: UUID) -> UUID:
    made = make_post(session, author)
    make_post(session, author)
    session.commit()
    return made


@pytest.fixture
def fan(session: Session) -> UUID:
    person = make_person(session)
    session.commit()
    return person


def told(session: Session, recipient: UUID) -> list[tuple[str, UUID | None, UUID | None]]:
    session.rollback()
    rows = session.execute(
        select(NOTIFICATIONS.c.kind, NOTIFICATIONS.c.actor_id, NOTIFICATIONS.c.object_id).where(
            NOTIFICATIONS.c.recipient_id == recipient
        )
    )
    return [(row.kind, row.actor_id, row.object_id) for row in rows]


def test_a_like_counts_once_and_is_told_once(
    client: FlaskClient, session: Session, author: UUID, fan: UUID, post_id: UUID
) -> None:
    replies = [client.put(f"/v1/posts/{post_id}/like", headers=bearer(fan)) for _ in range(2)]

    for reply in replies:
        assert reply.status_code == 200
        assert LikeStatusSchema().validate(reply.get_json()) == {}
        assert reply.get_json() == {"post_id": str(post_id), "liked": True, "like_count": 1}
    assert told(session, author) == [("like", fan, post_id)]


def test_an_unlike_takes_its_notification_back(
    client: FlaskClient, session: Session, author: UUID, fan: UUID, post_id: UUID
) -> None:
    other = make_person(session)
    session.commit()
    for person in (fan, other):
        client.put(f"/v1/posts/{post_id}/like", headers=bearer(person))

    replies = [client.delete(f"/v1/posts/{post_id}/like", headers=bearer(fan)) for _ in range(2)]

    assert [reply.get_json() for reply in replies] == [
        {"post_id": str(post_id), "liked": False, "like_count": 1}
    ] * 2
    assert told(session, author) == [("like", other, post_id)]


def test_ones_own_like_counts_and_is_no_news(
    client: FlaskClient, session: Session, author: UUID, post_id: UUID
) -> None:
    reply = client.put(f"/v1/posts/{post_id}/like", headers=bearer(author))

    assert reply.get_json()["like_count"] == 1
    assert told(session, author) == []


HIDING: dict[str, dict[str, Any]] = {
    "private": {"visibility": "private"},
    "deleted": {"deleted_at": LONG_AGO},
    "processing": {"state": "processing"},
}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("how", ["unknown", "private", "deleted", "processing", "blocked", "blocking"])
def test_what_one_cannot_see_one_cannot_like(
    client: FlaskClient,
    session: Session,
    author: UUID,
    fan: UUID,
    *,
    method: str,
    how: str,
) -> None:
    post_id = new_id() if how == "unknown" else make_post(session, author, **HIDING.get(how, {}))
    if how in {"blocked", "blocking"}:
        relate(session, *((author, "b", fan) if how == "blocked" else (fan, "b", author)))
    session.commit()

    reply = client.open(f"/v1/posts/{post_id}/like", method=method, headers=bearer(fan))

    assert (reply.status_code, reply.get_json()["code"]) == (404, "post_not_found")


def test_ones_own_waiting_post_cannot_be_liked_yet(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post_id = make_post(session, author, state="processing")
    session.commit()

    reply = client.put(f"/v1/posts/{post_id}/like", headers=bearer(author))

    assert (reply.status_code, reply.get_json()["code"]) == (409, "post_not_published")


def test_a_like_can_be_taken_back_when_the_post_has_gone_out_of_sight(
    client: FlaskClient, session: Session, author: UUID, fan: UUID, post_id: UUID
) -> None:
    other = make_person(session)
    session.commit()
    for person in (fan, other):
        client.put(f"/v1/posts/{post_id}/like", headers=bearer(person))
    make_private(session, author)
    session.commit()

    replies = [client.delete(f"/v1/posts/{post_id}/like", headers=bearer(fan)) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [200, 404]
    assert LikeStatusSchema().validate(replies[0].get_json()) == {}
    assert replies[0].get_json() == {"post_id": str(post_id), "liked": False, "like_count": None}
    assert told(session, author) == [("like", other, post_id)]
    assert client.get(f"/v1/posts/{post_id}", headers=bearer(author)).get_json()["like_count"] == 1


def test_ones_own_waiting_post_has_no_like_to_take_back(
    client: FlaskClient, session: Session, author: UUID
) -> None:
    post_id = make_post(session, author, state="processing")
    session.commit()

    reply = client.delete(f"/v1/posts/{post_id}/like", headers=bearer(author))

    assert (reply.status_code, reply.get_json()["like_count"]) == (200, 0)


def test_likes_move_a_post_up_in_explore_and_back(
    client: FlaskClient, session: Session, post_id: UUID
) -> None:
    people = make_people(session, 3)
    session.commit()
    rank = select(POSTS.c.rank_at - POSTS.c.published_at).where(POSTS.c.id == post_id)

    for person in people:
        client.put(f"/v1/posts/{post_id}/like", headers=bearer(person))
    risen = session.scalar(rank)
    session.rollback()
    for person in people:
        client.delete(f"/v1/posts/{post_id}/like", headers=bearer(person))

    assert (risen, session.scalar(rank)) == (timedelta(hours=12), timedelta(0))


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_likers_who_are_hidden_are_left_out_and_the_pages_go_on(
    client: FlaskClient, session: Session, fan: UUID, post_id: UUID, *, limit: int
) -> None:
    people = make_people(session, 5)
    for number, person in enumerate(people):
        like(session, person, post_id, at=LONG_AGO + timedelta(seconds=number))
    relate(session, people[1], "b", fan)
    relate(session, fan, "b", people[2])
    relate(session, fan, "m", people[3])
    session.commit()

    where = f"/v1/posts/{post_id}/likes?limit={limit}"
    pages = [client.get(where, headers=bearer(fan)).get_json()]
    while cursor := pages[-1]["page"]["next_cursor"]:
        pages.append(client.get(f"{where}&cursor={cursor}", headers=bearer(fan)).get_json())

    shown = [person["id"] for page in pages for person in page["data"]]
    assert shown == [str(people[number]) for number in (4, 3, 0)]
    assert client.get(f"/v1/posts/{post_id}", headers=bearer(fan)).get_json()["like_count"] == len(shown)


def test_likers_page_last_first(client: FlaskClient, session: Session, post_id: UUID) -> None:
    people = make_people(session, 5)
    for number, person in enumerate(people):
        like(session, person, post_id, at=LONG_AGO + timedelta(seconds=number // 2))
    session.commit()

    pages = [client.get(f"/v1/posts/{post_id}/likes?limit=2").get_json()]
    while cursor := pages[-1]["page"]["next_cursor"]:
        pages.append(client.get(f"/v1/posts/{post_id}/likes?limit=2&cursor={cursor}").get_json())

    assert PeoplePageSchema().validate(pages[0]) == {}
    assert [person["id"] for page in pages for person in page["data"]] == [str(p) for p in people[::-1]]


def test_a_block_takes_likes_between_the_two_and_no_others(session: Session, author: UUID, fan: UUID) -> None:
    other = make_person(session)
    mine, theirs = make_post(session, author), make_post(session, fan)
    for person, post in ((fan, mine), (author, mine), (other, mine), (author, theirs), (fan, theirs)):
        like(session, person, post)

    block_account(session, actor_id=author, blocked_id=fan, now=LONG_AGO)

    left = session.execute(
        select(LIKES.c.user_id, LIKES.c.post_id).where(LIKES.c.post_id.in_((mine, theirs)))
    ).all()
    assert set(left) == {(author, mine), (other, mine), (fan, theirs)}
    counts = {post.id: post.like_count for post in session.execute(select(POSTS))}
    assert (counts[mine], counts[theirs]) == (2, 1)


def test_a_deleted_post_takes_back_what_was_told_about_it(
    session: Session, author: UUID, fan: UUID, post_id: UUID
) -> None:
    other_post = make_post(session, author)
    for post in (post_id, other_post):
        like_post(session, post_id=post, user_id=fan, now=LONG_AGO)

    delete_post(session, post_id=post_id, author_id=author, now=LONG_AGO)
    session.commit()

    assert told(session, author) == [("like", fan, other_post)]


@pytest.fixture
def engine(app: Flask) -> Iterator[Engine]:
    with app.app_context():
        yield db.engine


def test_counts_agree_after_a_stampede_of_likes_and_unlikes(
    engine: Engine, session: Session, author: UUID, post_id: UUID
) -> None:
    people = make_people(session, 4)
    session.commit()
    start = Barrier(8)

    def stampede(number: int) -> None:
        start.wait(timeout=10)
        for step in range(40):
            with Session(engine) as own, own.begin():
                person = people[(number + step) % len(people)]
                if (number + step // 3) % 2:
                    like_post(own, post_id=post_id, user_id=person, now=LONG_AGO)
                else:
                    unlike_post(own, post_id=post_id, user_id=person)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(stampede, number) for number in range(8)]:
            done.result(timeout=60)

    liking = session.scalars(select(LIKES.c.user_id).where(LIKES.c.post_id == post_id)).all()
    stored = session.scalar(select(POSTS.c.like_count).where(POSTS.c.id == post_id))
    assert stored == len(liking)
    assert {actor for _, actor, _ in told(session, author)} == set(liking)


def test_a_like_that_races_a_block_leaves_no_trace(
    engine: Engine, session: Session, author: UUID, post_id: UUID
) -> None:
    for _ in range(25):
        fan = make_person(session)
        session.commit()
        start = Barrier(2)

        def liking(fan: UUID = fan, start: Barrier = start) -> None:
            with Session(engine) as own, own.begin():
                start.wait(timeout=10)
                try:
                    like_post(own, post_id=post_id, user_id=fan, now=LONG_AGO)
                except NotFound:
                    return

        def blocking(fan: UUID = fan, start: Barrier = start) -> None:
            with Session(engine) as own, own.begin():
                start.wait(timeout=10)
                block_account(own, actor_id=author, blocked_id=fan, now=LONG_AGO)

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(liking), pool.submit(blocking)]:
                done.result(timeout=30)

        session.rollback()
        assert session.scalar(select(func.count()).where(LIKES.c.user_id == fan)) == 0
        assert session.scalar(select(POSTS.c.like_count).where(POSTS.c.id == post_id)) == 0
        assert told(session, author) == []


def test_a_like_that_waits_for_a_deletion_finds_nothing_to_like(
    engine: Engine, session: Session, author: UUID, fan: UUID, post_id: UUID
) -> None:
    delete_post(session, post_id=post_id, author_id=author, now=LONG_AGO)

    def liking() -> None:
        with Session(engine) as own, own.begin():
            like_post(own, post_id=post_id, user_id=fan, now=LONG_AGO)

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(liking)
        wait_for_a_waiter(session, effort)
        session.commit()
        with pytest.raises(NotFound):
            effort.result(timeout=30)

    assert told(session, author) == []


def test_a_recount_names_and_mends_what_was_wrong(session: Session, author: UUID, fan: UUID) -> None:
    right, wrong = make_post(session, author), make_post(session, author, like_count=7)
    like(session, fan, right)

    mended = recount_likes(session, [right, wrong])

    assert mended == [wrong]
    assert session.scalar(select(POSTS.c.like_count).where(POSTS.c.id == wrong)) == 0

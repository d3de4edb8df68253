"""Popular accounts: their posts are read by feeds, by the same rules as those that are written to them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_people, make_person, make_private, relate
from factories.social_posts import add_post_noise, deliver, make_post, put_in_feed
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_social.jobs.merging import MergingLane
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS
from igloo_social.models.timeline import FEED_CHANGES, POST_CHANGES, TIMELINE
from igloo_social.operations import merging
from igloo_social.queries.feed_changes import feed_changes


@pytest.fixture
def star(session: Session) -> UUID:
    person = make_person(session, merged_at_read=True)
    add_noise(session, person)
    add_post_noise(session)
    session.commit()
    return person


@pytest.fixture
def fan(client: FlaskClient, session: Session, star: UUID) -> UUID:
    person = make_person(session)
    session.commit()
    assert client.put(f"/v1/users/{star}/follow", headers=bearer(person)).status_code == 200
    return person


def posts_of(session: Session, author: UUID, count: int, *, first: int = 0, **columns: object) -> list[str]:
    """Make posts an hour apart and return their ids, the last published first."""
    made = [
        make_post(session, author, at=LONG_AGO + timedelta(hours=first + number), **columns)
        for number in range(count)
    ]
    session.commit()
    return [str(post_id) for post_id in reversed(made)]


def feed(client: FlaskClient, person: UUID, query: str = "") -> list[str]:
    return [post["id"] for post in client.get(f"/v1/feed{query}", headers=bearer(person)).get_json()["data"]]


def publish(session: Session, post_id: str, author: UUID) -> None:
    deliver(session, "social.post.published.v1", now=utc_now(), post_id=post_id, author_id=author)
    session.commit()


def test_following_shows_all_posts_at_once_and_unfollowing_hides_them_at_once(
    client: FlaskClient, session: Session, star: UUID
) -> None:
    person = make_person(session)
    expected = posts_of(session, star, 3)

    client.put(f"/v1/users/{star}/follow", headers=bearer(person))
    followed = feed(client, person)
    client.delete(f"/v1/users/{star}/follow", headers=bearer(person))

    assert followed == expected
    assert feed(client, person) == []


def test_nothing_is_written_for_a_follow_that_is_merged(
    client: FlaskClient, session: Session, star: UUID, fan: UUID
) -> None:
    other = make_person(session)
    relate(session, other, "f", star)
    (post_id,) = posts_of(session, star, 1)

    publish(session, post_id, star)
    edge = {"from_user_id": fan, "to_user_id": star, "relation_type": "f"}
    deliver(session, "social.relation.changed.v1", now=utc_now(), **edge)
    session.commit()

    owners = session.scalars(select(TIMELINE.c.owner_id).where(TIMELINE.c.author_id == star)).all()
    assert owners == [other]
    assert feed(client, fan) == feed(client, other) == [post_id]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_merged_posts_stand_in_their_places_once_and_page_both_ways(
    client: FlaskClient, session: Session, star: UUID, fan: UUID, limit: int
) -> None:
    second, friend = make_people(session, 2)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == second).values(merged_at_read=True))
    session.commit()
    client.put(f"/v1/users/{second}/follow", headers=bearer(fan))
    relate(session, fan, "f", friend)
    expected: list[str] = []
    for hour, author in enumerate((star, friend, second, star, star, friend, second)):
        (post_id,) = posts_of(session, author, 1, first=hour)
        if author == friend or hour < 2:  # One of a star's was written when the star was not one yet.
            put_in_feed(session, fan, UUID(post_id), author, at=LONG_AGO + timedelta(hours=hour))
        expected.insert(0, post_id)
    session.commit()

    pages = [client.get(f"/v1/feed?limit={limit}", headers=bearer(fan)).get_json()]
    while cursor := pages[-1]["page"]["next_cursor"]:
        pages.append(client.get(f"/v1/feed?limit={limit}&cursor={cursor}", headers=bearer(fan)).get_json())
    back = feed(client, fan, f"?limit=100&cursor={pages[-1]['page']['prev_cursor']}")

    assert [post["id"] for page in pages for post in page["data"]] == expected
    assert back == expected[: -len(pages[-1]["data"])]


def block(session: Session, star: UUID, fan: UUID) -> None:
    relate(session, star, "b", fan)


def mute(session: Session, star: UUID, fan: UUID) -> None:
    relate(session, fan, "m", star)


def close_posts(session: Session, star: UUID, fan: UUID) -> None:
    session.execute(update(POSTS).where(POSTS.c.author_id == star).values(visibility="private"))


def hide_posts(session: Session, star: UUID, fan: UUID) -> None:
    session.execute(update(POSTS).where(POSTS.c.author_id == star).values(state="hidden"))


def suspend(session: Session, star: UUID, fan: UUID) -> None:
    session.execute(update(PROFILES).where(PROFILES.c.user_id == star).values(suspended_at=LONG_AGO))


def delete(session: Session, star: UUID, fan: UUID) -> None:
    session.execute(update(POSTS).where(POSTS.c.author_id == star).values(deleted_at=LONG_AGO))


@pytest.mark.parametrize("rule", [block, mute, close_posts, hide_posts, suspend, delete])
def test_what_hides_a_post_hides_a_merged_one(
    client: FlaskClient, session: Session, star: UUID, fan: UUID, rule: Callable[[Session, UUID, UUID], None]
) -> None:
    posts_of(session, star, 2)
    before = feed(client, fan)

    rule(session, star, fan)
    session.commit()

    assert len(before) == 2
    assert feed(client, fan) == []


def test_followers_of_a_private_account_see_its_merged_posts(
    client: FlaskClient, session: Session, star: UUID, fan: UUID
) -> None:
    expected = posts_of(session, star, 1, visibility="followers")
    make_private(session, star)
    session.commit()

    assert feed(client, fan) == expected


def run(app: Flask, threshold: int, steps: int = 1) -> MergingLane:
    lane = MergingLane(threshold)
    with app.app_context():
        for _ in range(steps):
            lane.step()
    return lane


def merged_people(session: Session) -> set[UUID]:
    session.rollback()
    return set(session.scalars(select(PROFILES.c.user_id).where(PROFILES.c.merged_at_read)))


def test_an_account_is_marked_when_so_many_follow_and_never_unmarked(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "PROFILES_AT_ONCE", 2)
    popular, other = make_people(session, 2)
    for follower in make_people(session, 3):
        relate(session, follower, "f", popular)
    relate(session, popular, "f", other)
    session.commit()

    run(app, threshold=4, steps=10)
    too_few = merged_people(session)
    run(app, threshold=3, steps=10)
    enough = merged_people(session)
    session.execute(text("DELETE FROM relations"))
    session.execute(update(PROFILES).values(follower_count=0))
    session.commit()
    run(app, threshold=3, steps=10)

    assert (too_few, enough, merged_people(session)) == (set(), {popular}, {popular})


def unmerged(session: Session, star: UUID) -> int:
    session.rollback()
    follows = RELATIONS.c.to_user == star, RELATIONS.c.relation_type == "f", ~RELATIONS.c.is_merged
    return session.scalar(select(func.count()).where(*follows)) or 0


def test_older_follows_are_flagged_in_batches_that_a_new_worker_goes_on_with(
    app: Flask, session: Session, star: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "FOLLOWS_AT_ONCE", 2)
    (post_id,) = posts_of(session, star, 1, first=-1)
    people = make_people(session, 5)
    for person in people:
        relate(session, person, "f", star)
        relate(session, person, "m", star)
        relate(session, star, "f", person)
    session.commit()

    left = []
    for _ in range(3):
        run(app, threshold=1_000)
        left.append(unmerged(session, star))

    assert left == [3, 1, 0]
    assert session.scalar(select(func.count()).where(RELATIONS.c.is_merged)) == 5
    gaps = select(FEED_CHANGES.c.owner_id).where(FEED_CHANGES.c.published_before == LONG_AGO)
    assert set(session.scalars(gaps)) == set(people), post_id


def test_a_follow_that_is_held_is_left_for_the_next_round(app: Flask, session: Session, star: UUID) -> None:
    held, free = make_people(session, 2)
    for person in (held, free):
        relate(session, person, "f", star)
    session.commit()
    lock = "SELECT FROM relations WHERE from_user = :person AND relation_type = 'f' FOR UPDATE"
    session.execute(text(lock), {"person": held})

    run(app, threshold=1_000)
    beside = unmerged(session, star)
    run(app, threshold=1_000)

    assert (beside, unmerged(session, star)) == (1, 0)


def named(session: Session, owner: UUID, since: timedelta) -> set[UUID]:
    """Tell which posts the feed's changes name."""
    now = utc_now()
    after = (now - since, UUID(int=0))
    found = feed_changes(session, owner_id=owner, given_at=after[0], after=after, until=now, limit=100)
    return {row.id for row in found.scanned}


@pytest.mark.parametrize(
    "event", ["social.post.published.v1", "social.post.changed.v1", "social.post.deleted.v1"]
)
def test_an_event_that_is_late_reaches_who_reads_the_author_merged_since(
    session: Session, star: UUID, fan: UUID, event: str
) -> None:
    (post_id,) = posts_of(session, star, 1)
    if event == "social.post.deleted.v1":
        session.execute(text("UPDATE posts SET deleted_at = now() WHERE id = :id"), {"id": post_id})
    before = named(session, fan, timedelta(minutes=2))

    deliver(session, event, now=utc_now(), post_id=post_id, author_id=star)

    assert UUID(post_id) not in before
    assert UUID(post_id) in named(session, fan, timedelta(minutes=2))


def test_an_edit_of_a_merged_post_is_one_row_for_all_who_follow(
    client: FlaskClient, session: Session, star: UUID, fan: UUID
) -> None:
    post_id = client.post("/v1/posts", json={"caption": "Snow"}, headers=bearer(star)).get_json()["id"]
    token = client.get("/v1/feed", headers=bearer(fan)).get_json()["page"]["changes_since"]

    client.patch(f"/v1/posts/{post_id}", json={"caption": "Ice"}, headers=bearer(star))

    said = client.get("/v1/feed/changes", query_string={"since": token}, headers=bearer(fan)).get_json()
    assert [post["caption"] for post in said["posts"]] == ["Ice"]
    owners = select(FEED_CHANGES.c.owner_id).where(FEED_CHANGES.c.subject_id == UUID(post_id))
    assert session.scalars(owners).all() == [star]
    assert session.scalar(select(func.count()).where(POST_CHANGES.c.post_id == UUID(post_id))) == 1


def test_who_comes_back_is_told_what_was_deleted_while_they_were_away(
    client: FlaskClient, session: Session
) -> None:
    author, reader = make_people(session, 2)
    session.commit()
    client.put(f"/v1/users/{author}/follow", headers=bearer(reader))
    post_id = client.post("/v1/posts", json={"caption": "Snow"}, headers=bearer(author)).get_json()["id"]
    publish(session, post_id, author)
    token = client.get("/v1/feed", headers=bearer(reader)).get_json()["page"]["changes_since"]
    client.delete(f"/v1/users/{author}/follow", headers=bearer(reader))
    client.delete(f"/v1/posts/{post_id}", headers=bearer(author))
    deliver(session, "social.post.deleted.v1", now=utc_now(), post_id=post_id, author_id=author)
    session.commit()
    client.put(f"/v1/users/{author}/follow", headers=bearer(reader))
    edge = {"from_user_id": reader, "to_user_id": author, "relation_type": "f"}
    deliver(session, "social.relation.changed.v1", now=utc_now(), **edge)
    session.commit()

    said = client.get("/v1/feed/changes", query_string={"since": token}, headers=bearer(reader)).get_json()

    assert (said["removed_author_ids"], said["removed_post_ids"]) == ([], [post_id])

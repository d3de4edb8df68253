"""`GET /v1/feed/changes`: what phones that keep a feed are told."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from factories.social_people import add_noise, make_people, relate
from factories.social_posts import add_post_noise, deliver, make_post, put_in_feed
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.api.changes_tokens import ChangesToken
from igloo_social.jobs import periodic
from igloo_social.models.timeline import FEED_CHANGES, POST_CHANGES, ChangeKind
from igloo_social.operations import feed_changes
from igloo_social.operations.follows import unfollow_account
from igloo_social.policies.feed_changes import NOTES_KEPT_FOR, OVERLAP, TOKENS_WORK_FOR
from igloo_social.schemas.feed import FeedChangesSchema

NOTHING: dict[str, Any] = {
    "posts": [],
    "removed_post_ids": [],
    "removed_author_ids": [],
    "gap": None,
    "has_more": False,
}


@pytest.fixture
def people(session: Session) -> tuple[UUID, UUID]:
    """Make a reader and somebody whom they follow, among strangers who do all kinds of things."""
    reader, author = make_people(session, 2)
    relate(session, reader, "f", author)
    add_noise(session, reader)
    add_post_noise(session)
    for stranger in make_people(session, 2):
        feed_changes.note_author(session, [stranger], author_id=author, now=utc_now())
        feed_changes.note_post(
            session,
            post_id=make_post(session, stranger),
            author_id=stranger,
            now=utc_now(),
            is_for_others=True,
        )
    session.commit()
    return reader, author


def changes(client: FlaskClient, reader: UUID, since: str | None = None, **query: object) -> dict[str, Any]:
    asked = {**query} if since is None else {"since": since, **query}
    reply = client.get("/v1/feed/changes", query_string=asked, headers=bearer(reader))
    assert reply.status_code == 200, reply.get_json()
    said: dict[str, Any] = reply.get_json()
    assert FeedChangesSchema().validate(said) == {}
    return said


def told(said: dict[str, Any]) -> dict[str, Any]:
    """Leave out the token, and of the posts all but their ids."""
    return {name: value for name, value in said.items() if name != "next_since"} | {
        "posts": [post["id"] for post in said["posts"]]
    }


def publish(client: FlaskClient, session: Session, author: UUID) -> str:
    post_id = client.post("/v1/posts", json={"caption": "Snow"}, headers=bearer(author)).get_json()["id"]
    deliver(session, "social.post.published.v1", now=utc_now(), post_id=post_id, author_id=author)
    session.commit()
    return str(post_id)


def test_without_a_token_the_answer_is_one_for_now(client: FlaskClient, people: tuple[UUID, UUID]) -> None:
    said = changes(client, people[0])

    assert told(said) == NOTHING
    assert told(changes(client, people[0], said["next_since"])) == NOTHING


def test_a_new_post_comes_whole_and_an_edited_one_as_it_is_now(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    token = changes(client, reader)["next_since"]
    post_id = publish(client, session, author)
    came = changes(client, reader, token)
    client.patch(f"/v1/posts/{post_id}", json={"caption": "Ice"}, headers=bearer(author))
    deliver(session, "social.post.changed.v1", now=utc_now(), post_id=post_id, author_id=author)
    session.commit()

    changed = changes(client, reader, came["next_since"])

    assert [post["caption"] for post in came["posts"]] == ["Snow"]
    feed = client.get("/v1/feed", headers=bearer(reader)).get_json()["data"]
    assert changed["posts"] == feed
    assert [post["caption"] for post in feed] == ["Ice"]


def test_an_author_hears_of_their_own_edits_on_another_phone_at_once(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    author = people[1]
    post_id = publish(client, session, author)
    token = changes(client, author)["next_since"]
    client.patch(f"/v1/posts/{post_id}", json={"visibility": "private"}, headers=bearer(author))

    assert [post["visibility"] for post in changes(client, author, token)["posts"]] == ["private"]


def test_a_deleted_post_and_a_closed_one_are_told_as_removed(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    deleted, closed = publish(client, session, author), publish(client, session, author)
    token = changes(client, reader)["next_since"]
    client.delete(f"/v1/posts/{deleted}", headers=bearer(author))
    client.patch(f"/v1/posts/{closed}", json={"visibility": "private"}, headers=bearer(author))
    for event, post_id in (("social.post.deleted.v1", deleted), ("social.post.changed.v1", closed)):
        deliver(session, event, now=utc_now(), post_id=post_id, author_id=author)
    session.commit()

    said = changes(client, reader, token)

    assert told(said) == {**NOTHING, "removed_post_ids": sorted([deleted, closed])}


def test_what_stays_the_authors_alone_is_told_to_nobody_else(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    body = {"caption": "A diary", "visibility": "private"}
    post_id = client.post("/v1/posts", json=body, headers=bearer(author)).get_json()["id"]
    token = changes(client, reader)["next_since"]

    client.patch(f"/v1/posts/{post_id}", json={"caption": "A dear diary"}, headers=bearer(author))
    client.delete(f"/v1/posts/{post_id}", headers=bearer(author))
    deliver(session, "social.post.deleted.v1", now=utc_now(), post_id=post_id, author_id=author)
    session.commit()

    assert told(changes(client, reader, token)) == NOTHING
    assert session.scalar(select(func.count()).where(POST_CHANGES.c.author_id == author)) == 0
    assert "social.post.changed.v1" not in session.scalars(text("SELECT type FROM outbox")).all()


@pytest.mark.parametrize(("method", "path"), [("DELETE", "follow"), ("PUT", "block"), ("PUT", "mute")])
def test_whoever_is_left_blocked_or_muted_is_gone_at_once(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID], method: str, path: str
) -> None:
    reader, author = people
    publish(client, session, author)
    token = changes(client, reader)["next_since"]

    body: dict[str, Any] | None = {} if path == "mute" else None
    client.open(f"/v1/users/{author}/{path}", method=method, json=body, headers=bearer(reader))

    said = told(changes(client, reader, token))
    assert (said["removed_author_ids"], said["posts"]) == ([str(author)], [])


def test_a_muted_persons_posts_are_left_out_of_the_feed_and_come_back_after(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    post_id = publish(client, session, author)
    client.put(f"/v1/users/{author}/mute", json={}, headers=bearer(reader))

    muted = client.get("/v1/feed", headers=bearer(reader)).get_json()
    client.delete(f"/v1/users/{author}/mute", headers=bearer(reader))
    edge = {"from_user_id": reader, "to_user_id": author, "relation_type": "m"}
    deliver(session, "social.relation.changed.v1", now=utc_now(), **edge)
    session.commit()

    assert muted["data"] == []
    assert muted["page"]["prev_cursor"] is not None
    assert muted["page"]["covers"] is not None
    assert told(changes(client, reader, muted["page"]["changes_since"]))["posts"] == [post_id]


def test_a_mute_whose_time_is_up_hides_nothing(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    post_id = publish(client, session, author)
    relate(session, reader, "m", author)
    mute = {"reader": reader, "author": author, "at": utc_now() - timedelta(seconds=1)}
    end = """
        UPDATE relations SET expires_at = :at
        WHERE from_user = :reader AND to_user = :author AND relation_type = 'm'
    """
    session.execute(text(end), mute)
    session.commit()

    feed = client.get("/v1/feed", headers=bearer(reader)).get_json()

    assert [post["id"] for post in feed["data"]] == [post_id]


def test_a_long_history_that_comes_back_leaves_a_gap_to_read_on_from(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_changes, "BROUGHT_BACK", 2)
    reader, author = people
    posts = [publish(client, session, author) for _ in range(4)]
    token = changes(client, reader)["next_since"]
    edge = {"from_user_id": reader, "to_user_id": author, "relation_type": "f"}
    deliver(session, "social.relation.changed.v1", now=utc_now(), **edge)
    session.commit()

    said = changes(client, reader, token)
    cursor = said["gap"]["cursor"]
    older = client.get(f"/v1/feed?cursor={cursor}", headers=bearer(reader)).get_json()

    assert {post["id"] for post in said["posts"]} >= set(posts[2:])
    assert [post["id"] for post in older["data"]] == posts[1::-1]


def test_pages_lead_through_everything_and_then_to_rest(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    token = changes(client, reader)["next_since"]
    posts = [publish(client, session, author) for _ in range(7)]

    pages = [changes(client, reader, token, limit=3)]
    while pages[-1]["has_more"]:
        pages.append(changes(client, reader, pages[-1]["next_since"], limit=3))
    again = changes(client, reader, pages[-1]["next_since"], limit=100)

    assert [post["id"] for page in pages for post in page["posts"]] == posts
    assert [page["has_more"] for page in pages] == [True, True, False]
    assert {post["id"] for post in again["posts"]} == set(posts)


def test_a_change_that_was_committed_late_is_not_missed(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    post_id = publish(client, session, author)
    began = utc_now()
    unfollow_account(session, actor_id=reader, followee_id=author, now=began)
    token = changes(client, reader)["next_since"]
    early = changes(client, reader, token)
    session.commit()

    late = changes(client, reader, early["next_since"])

    assert early["removed_author_ids"] == []
    assert late["removed_author_ids"] == [str(author)]
    assert post_id in late["removed_post_ids"]


def test_a_post_that_arrives_long_after_it_came_out_is_told(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    post_id = make_post(session, author, at=utc_now() - timedelta(hours=3))
    session.commit()
    token = changes(client, reader)["next_since"]

    deliver(session, "social.post.published.v1", now=utc_now(), post_id=post_id, author_id=author)
    session.commit()

    assert told(changes(client, reader, token))["posts"] == [str(post_id)]


@pytest.mark.parametrize("since", ["nonsense", "a" * 68, "", "a" * 69, "é", "=" * 68])
def test_an_invented_token_is_refused(client: FlaskClient, people: tuple[UUID, UUID], since: str) -> None:
    reply = client.get("/v1/feed/changes", query_string={"since": since}, headers=bearer(people[0]))

    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")


def test_another_persons_token_and_a_cursor_are_refused(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    publish(client, session, author)
    page = client.get("/v1/feed", headers=bearer(reader)).get_json()["page"]

    replies = [
        client.get("/v1/feed/changes", query_string={"since": page["changes_since"]}, headers=bearer(author)),
        client.get("/v1/feed/changes", query_string={"since": page["prev_cursor"]}, headers=bearer(reader)),
        client.get("/v1/feed", query_string={"cursor": page["changes_since"]}, headers=bearer(reader)),
    ]

    assert [reply.get_json()["code"] for reply in replies] == ["invalid_cursor"] * 3


@pytest.mark.parametrize("place", [None, UUID(int=7)])
def test_a_token_of_more_than_a_week_ago_has_expired(
    app: Flask, client: FlaskClient, people: tuple[UUID, UUID], place: UUID | None
) -> None:
    def token(age: timedelta) -> str:
        at = utc_now() - age
        made = ChangesToken(until=at, place=None if place is None else (at, place))
        with app.app_context():
            return made.encode(scope=f"feed changes:{people[0]}")

    margin = timedelta(minutes=1)
    old = client.get(
        "/v1/feed/changes",
        query_string={"since": token(TOKENS_WORK_FOR + margin)},
        headers=bearer(people[0]),
    )

    assert (old.status_code, old.get_json()["code"]) == (410, "changes_expired")
    assert told(changes(client, people[0], token(TOKENS_WORK_FOR - OVERLAP - margin))) == NOTHING


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_a_limit_out_of_range_is_refused(client: FlaskClient, people: tuple[UUID, UUID], limit: str) -> None:
    reply = client.get("/v1/feed/changes", query_string={"limit": limit}, headers=bearer(people[0]))

    assert reply.status_code == 422


def test_nobody_asks_without_signing_in(client: FlaskClient) -> None:
    assert client.get("/v1/feed/changes").status_code == 401


def test_a_page_of_the_feed_says_what_it_covers_what_is_hidden_included(
    client: FlaskClient, session: Session, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    for at, visibility in zip(times, ("public", "public", "private"), strict=True):
        put_in_feed(session, reader, make_post(session, author, at=at, visibility=visibility), author, at=at)
    session.commit()

    page = client.get("/v1/feed?limit=2", headers=bearer(reader)).get_json()

    assert len(page["data"]) == 1
    assert page["page"]["covers"] == {"newest": "2026-01-03T00:00:00Z", "oldest": "2026-01-02T00:00:00Z"}


def test_phones_that_saw_more_than_a_restored_database_knows_read_their_feeds_anew_once(
    app: Flask, session: Session, client: FlaskClient, people: tuple[UUID, UUID]
) -> None:
    reader, author = people
    publish(client, session, author)
    before = changes(client, reader)["next_since"]
    place = (utc_now() - timedelta(hours=1), UUID(int=1))
    with app.app_context():
        scope = f"feed changes:{reader}"
        on_the_way = ChangesToken(until=utc_now(), place=place).encode(scope=scope)
        fresh = ChangesToken(until=utc_now() - OVERLAP / 2).encode(scope=scope)

    assert app.test_cli_runner().invoke(args=["feed", "expire-changes"]).exit_code == 0
    replies = [
        client.get("/v1/feed/changes", query_string={"since": token, "limit": 1}, headers=bearer(reader))
        for token in (before, on_the_way, fresh)
    ]
    anew = client.get("/v1/feed", headers=bearer(reader)).get_json()["page"]["changes_since"]

    assert [(each.status_code, each.get_json()["code"]) for each in replies] == [(410, "changes_expired")] * 3
    assert changes(client, reader, anew)["has_more"] is False
    assert changes(client, author, changes(client, author)["next_since"])["has_more"] is False


def test_notes_go_when_no_token_reaches_them_any_more(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "CHANGES_PRUNED_AT_ONCE", 2)
    owner, subject = make_people(session, 2)
    now, minute = utc_now(), timedelta(minutes=1)
    old = [now - NOTES_KEPT_FOR - number * minute for number in range(1, 6)]
    for at in (*old, now - NOTES_KEPT_FOR + minute, now):
        row = {"owner_id": owner, "changed_at": at, "subject_id": subject, "kind": ChangeKind.POST.value}
        session.execute(insert(FEED_CHANGES).values(row))
        session.execute(insert(POST_CHANGES).values(author_id=owner, changed_at=at, post_id=subject))
    session.commit()

    with app.app_context():
        periodic.forget_feed_changes()
        with transaction() as own:
            counts = [
                own.scalar(select(func.count()).select_from(table)) for table in (FEED_CHANGES, POST_CHANGES)
            ]

    assert counts == [2, 2]


def test_a_removal_that_comes_late_is_told_of_once_more(
    session: Session, client: FlaskClient, people: tuple[UUID, UUID]
) -> None:
    """Who read the feed after they left, and before it was cleaned, has kept posts anew."""
    reader, author = people
    publish(client, session, author)
    unfollow_account(session, actor_id=reader, followee_id=author, now=utc_now())
    later = utc_now() + timedelta(hours=1)

    for _ in range(2):
        edge = {"from_user_id": reader, "to_user_id": author, "relation_type": "f"}
        deliver(session, "social.relation.changed.v1", now=later, **edge)
        later += timedelta(hours=1)

    told_at = select(FEED_CHANGES.c.changed_at).where(
        FEED_CHANGES.c.owner_id == reader, FEED_CHANGES.c.subject_id == author
    )
    late = [at for at in session.scalars(told_at) if at > utc_now()]
    assert late == [later - timedelta(hours=2)]

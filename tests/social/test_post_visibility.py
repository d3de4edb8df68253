from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_person, make_private, relate
from factories.social_posts import add_post_noise, like, make_post, put_in_feed
from factories.tokens import bearer
from igloo_social.schemas.posts import PostSchema, PostsPageSchema
from igloo_social.schemas.profiles import PeoplePageSchema

VIEWERS = ("anonymous", "stranger", "follower", "requester", "blocked", "blocker", "muted", "author")


@dataclass
class Scene:
    """An author with one post, and a person in each relation to them."""

    author: UUID
    post: UUID
    people: dict[str, UUID] = field(default_factory=dict)

    def headers(self, viewer: str) -> dict[str, str]:
        """Make this viewer the caller."""
        return {} if viewer == "anonymous" else bearer(self.people[viewer])


@pytest.fixture
def scene(session: Session) -> Callable[..., Scene]:
    def make(*, account: str = "public", **columns: Any) -> Scene:  # noqa: ANN401 - any columns of the table
        author = make_person(session)
        made = Scene(author=author, post=make_post(session, author, **columns), people={"author": author})
        if account == "private":
            make_private(session, author)
        for viewer in VIEWERS[1:-1]:
            made.people[viewer] = make_person(session)
        relate(session, made.people["follower"], "f", author)
        relate(session, made.people["requester"], "r", author)
        relate(session, author, "b", made.people["blocked"])
        relate(session, made.people["blocker"], "b", author)
        relate(session, author, "m", made.people["muted"])
        for person in made.people.values():
            put_in_feed(session, person, made.post, author)
        like(session, made.people["stranger"], made.post)
        add_noise(session, author)
        add_post_noise(session)
        session.commit()
        return made

    return make


EVERYBODY = {"anonymous", "stranger", "follower", "requester", "muted", "author"}


@pytest.mark.parametrize(
    ("account", "columns", "expected"),
    [
        ("public", {"visibility": "public"}, EVERYBODY),
        ("private", {"visibility": "public"}, {"follower", "author"}),
        ("public", {"visibility": "followers"}, {"follower", "author"}),
        ("private", {"visibility": "followers"}, {"follower", "author"}),
        ("public", {"visibility": "private"}, {"author"}),
        ("public", {"state": "processing"}, {"author"}),
        (
            "public",
            {"state": "failed", "failure_code": "media_failed", "failure_detail": "It broke."},
            {"author"},
        ),
    ],
)
def test_every_read_shows_a_post_to_the_same_people(
    client: FlaskClient,
    scene: Callable[..., Scene],
    account: str,
    columns: dict[str, str],
    expected: set[str],
) -> None:
    made = scene(account=account, **columns)

    by_read: dict[str, set[str]] = {"post": set(), "likes": set(), "list": set(), "feed": set()}
    for viewer in VIEWERS:
        headers = made.headers(viewer)
        if client.get(f"/v1/posts/{made.post}", headers=headers).status_code == 200:
            by_read["post"].add(viewer)
        if client.get(f"/v1/posts/{made.post}/likes", headers=headers).status_code == 200:
            by_read["likes"].add(viewer)
        listed = client.get(f"/v1/users/{made.author}/posts", headers=headers).get_json()
        if [post["id"] for post in listed.get("data", [])] == [str(made.post)]:
            by_read["list"].add(viewer)
        if viewer != "anonymous":
            feed = client.get("/v1/feed", headers=headers).get_json()["data"]
            if [post["id"] for post in feed] == [str(made.post)]:
                by_read["feed"].add(viewer)

    assert by_read == {
        "post": expected,
        "likes": expected,
        "list": expected,
        "feed": expected - {"anonymous"},
    }


def test_nobody_sees_a_deleted_post(
    client: FlaskClient, session: Session, scene: Callable[..., Scene]
) -> None:
    made = scene(deleted_at=LONG_AGO)

    statuses = {
        client.get(f"/v1/posts/{made.post}", headers=made.headers(viewer)).status_code for viewer in VIEWERS
    }

    assert statuses == {404}


@pytest.mark.parametrize(("viewer", "status"), [("blocked", 404), ("blocker", 200), ("stranger", 200)])
def test_the_blocked_find_no_such_user(
    client: FlaskClient, scene: Callable[..., Scene], viewer: str, status: int
) -> None:
    made = scene(visibility="private")

    reply = client.get(f"/v1/users/{made.author}/posts", headers=made.headers(viewer))

    assert reply.status_code == status
    if status == 404:
        assert reply.get_json()["code"] == "user_not_found"
    else:
        assert reply.get_json()["data"] == []


def test_the_posts_of_nobody_are_not_found(client: FlaskClient, scene: Callable[..., Scene]) -> None:
    made = scene()

    assert client.get(f"/v1/users/{made.post}/posts").status_code == 404
    assert client.get(f"/v1/posts/{made.author}").get_json()["code"] == "post_not_found"


def test_the_like_count_is_the_number_of_people_that_the_viewer_can_list(
    client: FlaskClient, session: Session, scene: Callable[..., Scene]
) -> None:
    made = scene()
    viewer = made.people["follower"]
    hidden = [make_person(session) for _ in range(3)]
    for person in hidden:
        like(session, person, made.post)
    relate(session, viewer, "b", hidden[0])
    relate(session, hidden[0], "b", viewer)
    relate(session, hidden[1], "b", viewer)
    session.commit()

    counts = {}
    for name in ("follower", "author"):
        headers = made.headers(name)
        post = client.get(f"/v1/posts/{made.post}", headers=headers).get_json()
        likers = client.get(f"/v1/posts/{made.post}/likes", headers=headers).get_json()
        assert PeoplePageSchema().validate(likers) == {}
        assert post["like_count"] == len(likers["data"])
        counts[name] = post["like_count"]

    assert counts == {"follower": 2, "author": 4}


def test_a_persons_posts_page_both_ways_without_loss(
    client: FlaskClient, session: Session, scene: Callable[..., Scene]
) -> None:
    made = scene()
    same_moment = LONG_AGO + timedelta(days=1)
    made_ids = [str(made.post)] + [str(make_post(session, made.author, at=same_moment)) for _ in range(4)]
    for _ in range(3):
        make_post(session, made.author, at=same_moment, visibility="private")
    session.commit()
    address = f"/v1/users/{made.author}/posts"

    first = client.get(f"{address}?limit=2").get_json()
    second = client.get(f"{address}?limit=2&cursor={first['page']['next_cursor']}").get_json()
    third = client.get(f"{address}?limit=2&cursor={second['page']['next_cursor']}").get_json()
    back = client.get(f"{address}?limit=2&cursor={third['page']['prev_cursor']}").get_json()

    seen = [post["id"] for page in (first, second, third) for post in page["data"]]
    assert seen == made_ids[::-1]
    assert third["page"]["next_cursor"] is None
    assert back["data"] == second["data"]
    assert PostsPageSchema().validate(first) == {}


def test_what_is_sent_of_a_failed_post_conforms_to_its_document(
    client: FlaskClient, scene: Callable[..., Scene]
) -> None:
    made = scene(state="failed", failure_code="media_failed", failure_detail="It broke.")

    post = client.get(f"/v1/posts/{made.post}", headers=made.headers("author")).get_json()

    assert PostSchema().validate(post) == {}
    assert post["failure"] == {"code": "media_failed", "detail": "It broke."}
    assert post["published_at"] is None

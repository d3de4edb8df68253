"""Whom captions mention: found by username, shown to whom may meet them, and told if they may see it."""

from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from factories.social_people import LONG_AGO, add_noise, make_person, make_private, relate
from factories.social_posts import add_post_noise, media_ready
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_common.pipeline import Pipeline
from igloo_social.models.notifications import NOTIFICATIONS
from igloo_social.models.posts import POST_MENTIONS, POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.mentions import those_who_see
from igloo_social.queries.posts import find_post
from igloo_social.schemas.posts import PostSchema


class Cast:
    """The people of a test: an author, two to mention, and strangers."""

    def __init__(self, session: Session) -> None:
        self.hare, self.puffin, self.fox = (
            make_person(session, username=name) for name in ("hare", "puffin", "arctic.fox")
        )
        add_noise(session, self.hare, self.puffin)
        add_post_noise(session)
        session.commit()


@pytest.fixture
def people(session: Session) -> Cast:
    return Cast(session)


def post(client: FlaskClient, author: UUID, **body: object) -> str:
    reply = client.post("/v1/posts", json=body, headers=bearer(author))
    assert reply.status_code == 201, reply.get_json()
    assert PostSchema().validate(reply.get_json()) == {}
    post_id: str = reply.get_json()["id"]
    return post_id


def edit(client: FlaskClient, author: UUID, post_id: str, **body: object) -> None:
    assert client.patch(f"/v1/posts/{post_id}", json=body, headers=bearer(author)).status_code == 200


def mentioned(client: FlaskClient, post_id: str, viewer: UUID) -> list[str]:
    shown = client.get(f"/v1/posts/{post_id}", headers=bearer(viewer)).get_json()
    return [mention["username"] for mention in shown["mentions"]]


def told(session: Session) -> set[UUID]:
    session.rollback()
    rows = session.execute(
        select(NOTIFICATIONS.c.recipient_id, NOTIFICATIONS.c.object_id, NOTIFICATIONS.c.post_id).where(
            NOTIFICATIONS.c.kind == "mention"
        )
    ).all()
    assert len({row.recipient_id for row in rows}) == len(rows)
    assert all(row.object_id == row.post_id for row in rows)
    return {row.recipient_id for row in rows}


def test_people_are_mentioned_and_told_and_the_unknown_stay_plain_text(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    caption = "@Puffin, @arctic.fox, @nobody_here and myself, @hare. @puffin!"
    reply = client.post("/v1/posts", json={"caption": caption}, headers=bearer(people.hare))

    made = reply.get_json()
    assert made["caption"] == caption
    assert made["mentions"] == [
        {"user_id": str(people.fox), "username": "arctic.fox"},
        {"user_id": str(people.hare), "username": "hare"},
        {"user_id": str(people.puffin), "username": "puffin"},
    ]
    assert client.get(f"/v1/posts/{made['id']}", headers=bearer(people.puffin)).get_json() == made
    assert told(session) == {people.puffin, people.fox}


@pytest.mark.parametrize("blocker", ["hare", "puffin"])
def test_a_block_either_way_leaves_a_mention_plain_text(
    client: FlaskClient, session: Session, people: Cast, blocker: str
) -> None:
    pair = (people.hare, people.puffin) if blocker == "hare" else (people.puffin, people.hare)
    relate(session, pair[0], "b", pair[1])
    session.commit()

    post_id = post(client, people.hare, caption="@puffin @arctic.fox")

    # Others neither see whom the block kept from being mentioned.
    for viewer in (people.hare, people.fox):
        assert mentioned(client, post_id, viewer) == ["arctic.fox"]
    assert told(session) == {people.fox}


def test_a_later_block_hides_the_mention_from_the_two_alone(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    post_id = post(client, people.hare, caption="@puffin @arctic.fox")

    client.put(f"/v1/users/{people.hare}/block", headers=bearer(people.puffin))

    assert mentioned(client, post_id, people.hare) == ["arctic.fox"]
    assert mentioned(client, post_id, people.fox) == ["arctic.fox", "puffin"]
    assert told(session) == {people.fox}


@pytest.mark.parametrize("column", ["deleted_at", "suspended_at"])
def test_who_is_not_here_is_not_mentioned(
    client: FlaskClient, session: Session, people: Cast, column: str
) -> None:
    before = post(client, people.hare, caption="@puffin")
    session.execute(update(PROFILES).where(PROFILES.c.user_id == people.puffin).values({column: LONG_AGO}))
    session.commit()

    after = post(client, people.hare, caption="@puffin")

    assert [mentioned(client, post_id, people.hare) for post_id in (before, after)] == [[], []]
    assert session.scalar(select(POSTS.c.mention_count).where(POSTS.c.id == UUID(after))) == 0


def test_only_those_are_told_who_may_see_the_post(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    relate(session, people.puffin, "f", people.hare)
    session.commit()

    private = post(client, people.hare, caption="@puffin @arctic.fox", visibility="private")
    assert told(session) == set()
    edit(client, people.hare, private, visibility="followers")
    assert told(session) == {people.puffin}
    edit(client, people.hare, private, visibility="public")
    assert told(session) == {people.puffin, people.fox}
    edit(client, people.hare, private, visibility="followers")
    assert told(session) == {people.puffin}
    edit(client, people.hare, private, visibility="private")
    assert told(session) == set()


def test_who_does_not_see_a_post_any_more_is_not_told_of_comments_under_it(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    relate(session, people.puffin, "f", people.hare)
    session.commit()
    under, other = (post(client, people.hare, caption="Snow") for _ in range(2))
    for post_id in (under, other):
        body = {"text": "Look, @puffin and @arctic.fox"}
        path = f"/v1/posts/{post_id}/comments"
        assert client.post(path, json=body, headers=bearer(people.hare)).status_code == 201

    def told_under() -> list[UUID]:
        session.rollback()
        columns = select(NOTIFICATIONS.c.recipient_id).where(NOTIFICATIONS.c.kind == "mention")
        assert len(session.scalars(columns.where(NOTIFICATIONS.c.post_id == UUID(other))).all()) == 2
        return sorted(session.scalars(columns.where(NOTIFICATIONS.c.post_id == UUID(under))))

    assert told_under() == sorted([people.puffin, people.fox])
    edit(client, people.hare, under, visibility="followers")
    assert told_under() == [people.puffin]
    edit(client, people.hare, under, visibility="private")
    assert told_under() == []


def test_who_sees_a_post_is_asked_of_all_as_of_each(session: Session, people: Cast) -> None:
    follower, blocked, blocking = (make_person(session) for _ in range(3))
    relate(session, follower, "f", people.hare)
    relate(session, people.hare, "b", blocked)
    relate(session, blocking, "b", people.hare)
    everybody = [people.hare, people.puffin, follower, blocked, blocking]
    states = [("published", word) for word in ("public", "followers", "private")]
    for is_private in (False, True):
        if is_private:
            make_private(session, people.hare)
        for state, visibility in [*states, ("hidden", "public")]:
            post_id = new_id()
            session.execute(
                POSTS.insert().values(
                    id=post_id,
                    author_id=people.hare,
                    visibility=visibility,
                    state=state,
                    created_at=LONG_AGO,
                    published_at=LONG_AGO,
                )
            )

            one_by_one = [
                person for person in everybody if find_post(session, post_id=post_id, viewer_id=person)
            ]

            expected = sorted(one_by_one) if state == "published" else []
            assert those_who_see(session, post_id=post_id, user_ids=everybody) == expected


def test_an_edit_tells_who_is_new_and_takes_back_what_no_longer_holds(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    post_id = post(client, people.hare, caption="@puffin")

    edit(client, people.hare, post_id, caption="Now with @arctic.fox")
    assert mentioned(client, post_id, people.hare) == ["arctic.fox"]
    assert told(session) == {people.fox}

    edit(client, people.hare, post_id, caption="@arctic.fox and again @puffin")
    assert told(session) == {people.puffin, people.fox}

    edit(client, people.hare, post_id, caption="Nobody")
    assert mentioned(client, post_id, people.hare) == []
    assert told(session) == set()
    assert session.scalar(select(POSTS.c.mention_count).where(POSTS.c.id == UUID(post_id))) == 0


def test_the_mentioned_are_told_when_the_post_comes_out(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    media_id = new_id()
    post_id = post(client, people.hare, caption="@puffin #눈", media_ids=[str(media_id)])
    edit(client, people.hare, post_id, caption="@puffin @arctic.fox #눈")
    assert told(session) == set()

    media_ready(session, media_id, people.hare)
    session.commit()

    assert told(session) == {people.puffin, people.fox}


def test_what_a_deleted_post_told_is_taken_back(client: FlaskClient, session: Session, people: Cast) -> None:
    post_id = post(client, people.hare, caption="@puffin")

    client.delete(f"/v1/posts/{post_id}", headers=bearer(people.hare))

    assert told(session) == set()


def test_who_renamed_themselves_stays_mentioned_by_the_name_in_the_text(
    client: FlaskClient, session: Session, people: Cast
) -> None:
    post_id = post(client, people.hare, caption="@puffin")
    session.execute(update(PROFILES).where(PROFILES.c.user_id == people.puffin).values(username="auk"))
    session.commit()

    shown = client.get(f"/v1/posts/{post_id}", headers=bearer(people.hare)).get_json()

    assert shown["mentions"] == [{"user_id": str(people.puffin), "username": "puffin"}]


def test_no_more_than_twenty_are_mentioned(client: FlaskClient, session: Session, people: Cast) -> None:
    for number in range(21):
        make_person(session, username=f"seal{number:02}")
    session.commit()

    post_id = post(client, people.hare, caption=" ".join(f"@seal{number:02}" for number in range(21)))

    assert mentioned(client, post_id, people.hare) == [f"seal{number:02}" for number in range(20)]
    assert len(told(session)) == 20
    stored = session.scalars(select(POST_MENTIONS.c.user_id).where(POST_MENTIONS.c.post_id == UUID(post_id)))
    assert len(stored.all()) == 20


def test_a_post_without_tags_and_mentions_makes_no_more_round_trips(
    client: FlaskClient, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[int] = []
    flush = Pipeline.flush

    def counting(pipeline: Pipeline, *, commit: bool = False) -> None:
        if pipeline._queue:
            trips.append(len(pipeline._queue))
        flush(pipeline, commit=commit)

    monkeypatch.setattr(Pipeline, "flush", counting)
    post(client, people.hare, caption="Snow, at last")

    # The post, and then its counts, its author's feed and its event with COMMIT.
    assert trips == [1, 3]
    trips.clear()
    post(client, people.hare, caption="#Snow, at last")
    assert trips == [1, 4]

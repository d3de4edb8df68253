from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from factories.social_comments import add_comment_noise, comment, mention
from factories.social_people import LONG_AGO, add_noise, make_people, make_person, make_private, relate
from factories.social_posts import add_post_noise, make_post
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.models.comments import COMMENT_MENTIONS, COMMENTS
from igloo_social.models.notifications import NOTIFICATIONS
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.operations.blocks import block_account, unblock_account
from igloo_social.operations.comments import recount_comments
from igloo_social.operations.posts import delete_post
from igloo_social.schemas.comments import CommentSchema, CommentsPageSchema


@pytest.fixture
def author(session: Session) -> UUID:
    person = make_person(session, username="arctic.fox", display_name="Arctic Fox")
    add_noise(session, person)
    add_post_noise(session)
    add_comment_noise(session)
    session.commit()
    return person


@pytest.fixture
def post_id(session: Session, author: UUID) -> UUID:
    made = make_post(session, author)
    other = make_post(session, author)
    comment(session, author, other)
    session.commit()
    return made


@pytest.fixture
def guest(session: Session) -> UUID:
    person = make_person(session, username="snow.hare", display_name="Snow Hare")
    session.commit()
    return person


def say(client: FlaskClient, person: UUID, post_id: UUID, words: str = "Cold") -> Any:  # noqa: ANN401 - a reply
    return client.post(f"/v1/posts/{post_id}/comments", json={"text": words}, headers=bearer(person))


def remove(client: FlaskClient, person: UUID, comment_id: object) -> tuple[int, str | None]:
    """Delete a comment, and return the status and the code of a refusal."""
    reply = client.delete(f"/v1/comments/{comment_id}", headers=bearer(person))
    return reply.status_code, (reply.get_json() or {}).get("code")


def listed(client: FlaskClient, post_id: UUID, viewer: UUID | None, *, limit: int = 20) -> list[str]:
    """Page through all comments that a viewer sees, and hold their number against the count they are told."""
    headers = bearer(viewer) if viewer else {}
    where = f"/v1/posts/{post_id}/comments?limit={limit}"
    page = client.get(where, headers=headers).get_json()
    ids = [said["id"] for said in page["data"]]
    while cursor := page["page"]["next_cursor"]:
        page = client.get(f"{where}&cursor={cursor}", headers=headers).get_json()
        ids += [said["id"] for said in page["data"]]
    assert client.get(f"/v1/posts/{post_id}", headers=headers).get_json()["comment_count"] == len(ids)
    return ids


def told(session: Session, recipient: UUID) -> set[tuple[str, UUID | None, str]]:
    session.rollback()
    facts = select(NOTIFICATIONS).where(NOTIFICATIONS.c.recipient_id == recipient)
    return {(row.kind, row.actor_id, str(row.object_id)) for row in session.execute(facts)}


def test_a_comment_is_answered_listed_counted_and_told(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    reply = say(client, guest, post_id, "  눈이 온다\r\n정말 ")

    said = reply.get_json()
    assert reply.status_code == 201
    assert CommentSchema().validate(said) == {}
    assert (said["text"], said["post_id"]) == ("눈이 온다\n정말", str(post_id))
    assert (said["author"]["id"], said["can_delete"], said["mentions"]) == (str(guest), True, [])
    assert listed(client, post_id, None) == [said["id"]]
    assert told(session, author) == {("comment", guest, said["id"])}


def test_ones_own_comment_is_no_news(
    client: FlaskClient, session: Session, author: UUID, post_id: UUID
) -> None:
    reply = say(client, author, post_id, "It was me, @arctic.fox")

    assert reply.status_code == 201
    assert told(session, author) == set()


def test_comments_page_newest_first_and_say_who_may_delete_them(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    people = [guest, *make_people(session, 4)]
    said = [
        comment(session, person, post_id, at=LONG_AGO + timedelta(seconds=number // 2))
        for number, person in enumerate(people)
    ]
    session.commit()
    expected = [str(one) for one in said[::-1]]

    page = client.get(f"/v1/posts/{post_id}/comments", headers=bearer(guest)).get_json()

    assert CommentsPageSchema().validate(page) == {}
    assert [one["can_delete"] for one in page["data"]] == [False] * 4 + [True]
    for viewer in (None, guest, author):
        assert listed(client, post_id, viewer, limit=2) == expected
    own_page = client.get(f"/v1/posts/{post_id}/comments", headers=bearer(author)).get_json()
    assert all(one["can_delete"] for one in own_page["data"])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/text", "required"),
        ({"text": None}, "/text", "null_not_allowed"),
        ({"text": 7}, "/text", "invalid_type"),
        ({"text": ""}, "/text", "invalid_length"),
        ({"text": " \n\t "}, "/text", "invalid_length"),
        ({"text": "\u200b\u3164\ufe0f"}, "/text", "invisible_text"),
        ({"text": "ice" * 334}, "/text", "invalid_length"),
        ({"text": "a\x00b"}, "/text", "null_character"),
        ({"text": "a\x07b"}, "/text", "forbidden_character"),
        ({"text": "\u202eabc"}, "/text", "forbidden_character"),
        ({"text": "ice", "post_id": "x"}, "/post_id", "unknown_field"),
    ],
)
def test_what_is_no_comment_is_refused_by_name(
    client: FlaskClient, guest: UUID, post_id: UUID, *, body: dict[str, object], pointer: str, code: str
) -> None:
    reply = client.post(f"/v1/posts/{post_id}/comments", json=body, headers=bearer(guest))

    assert reply.status_code == 422
    assert [(error["pointer"], error["code"]) for error in reply.get_json()["errors"]] == [(pointer, code)]


def test_an_unpaired_surrogate_is_refused(client: FlaskClient, guest: UUID, post_id: UUID) -> None:
    reply = client.post(
        f"/v1/posts/{post_id}/comments",
        data=rb'{"text": "\ud800"}',
        content_type="application/json",
        headers=bearer(guest),
    )

    assert reply.status_code in {400, 422}


def test_a_thousand_characters_can_be_said(client: FlaskClient, guest: UUID, post_id: UUID) -> None:
    assert say(client, guest, post_id, "눈" * 1_000).status_code == 201


def test_comments_need_somebody_who_says_them(client: FlaskClient, session: Session, post_id: UUID) -> None:
    said = comment(session, make_person(session), post_id)
    session.commit()

    assert client.post(f"/v1/posts/{post_id}/comments", json={"text": "x"}).status_code == 401
    assert client.delete(f"/v1/comments/{said}").status_code == 401


def test_a_comment_sent_twice_is_one(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID
) -> None:
    headers = {**bearer(guest), "Idempotency-Key": "once"}
    where = f"/v1/posts/{post_id}/comments"

    replies = [client.post(where, json={"text": "Cold"}, headers=headers) for _ in range(2)]
    other = client.post(where, json={"text": "Warm"}, headers=headers)

    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].get_json() == replies[1].get_json()
    assert other.status_code == 422
    assert len(listed(client, post_id, guest)) == 1


HIDING: dict[str, dict[str, Any]] = {
    "private": {"visibility": "private"},
    "followers": {"visibility": "followers"},
    "deleted": {"deleted_at": LONG_AGO},
    "processing": {"state": "processing"},
    "hidden": {"state": "hidden", "published_at": LONG_AGO},
}


@pytest.mark.parametrize("how", ["unknown", *HIDING, "blocked", "blocking", "private account", "suspended"])
def test_under_what_one_cannot_see_nothing_is_read_said_or_deleted(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, *, how: str
) -> None:
    made = make_post(session, author, **HIDING.get(how, {}))
    said = comment(session, author, made)
    if how in {"blocked", "blocking"}:
        relate(session, *((author, "b", guest) if how == "blocked" else (guest, "b", author)))
    if how == "private account":
        make_private(session, author)
    if how == "suspended":
        session.execute(update(PROFILES).where(PROFILES.c.user_id == author).values(suspended_at=LONG_AGO))
    session.commit()
    post_id, comment_id = (new_id(), new_id()) if how == "unknown" else (made, said)

    read = client.get(f"/v1/posts/{post_id}/comments", headers=bearer(guest))
    written = say(client, guest, post_id)

    for reply in (read, written):
        assert (reply.status_code, reply.get_json()["code"]) == (404, "post_not_found")
    assert remove(client, guest, comment_id) == (404, "comment_not_found")


@pytest.mark.parametrize("state", ["processing", "hidden"])
def test_under_ones_own_post_that_is_not_out_nothing_can_be_said_yet(
    client: FlaskClient, session: Session, author: UUID, *, state: str
) -> None:
    post_id = make_post(session, author, state=state, published_at=LONG_AGO if state == "hidden" else None)
    session.commit()

    reply = say(client, author, post_id)

    assert (reply.status_code, reply.get_json()["code"]) == (409, "post_not_published")


def test_closed_comments_take_no_more_and_keep_what_was_said(
    client: FlaskClient, session: Session, author: UUID, guest: UUID
) -> None:
    post_id = make_post(session, author, comments_open=False)
    said = comment(session, guest, post_id)
    session.commit()

    replies = [say(client, person, post_id) for person in (guest, author)]

    assert [(reply.status_code, reply.get_json()["code"]) for reply in replies] == [
        (409, "comments_closed")
    ] * 2
    assert listed(client, post_id, None) == [str(said)]


def test_a_deleted_comment_says_nothing_any_more_and_its_news_go(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    puffin = make_person(session, username="puffin")
    session.commit()
    gone, left = (say(client, guest, post_id, "Look, @puffin").get_json()["id"] for _ in range(2))

    replies = [remove(client, guest, gone) for _ in range(2)]

    assert replies == [(204, None)] * 2
    assert listed(client, post_id, author) == [left]
    assert told(session, author) == {("comment", guest, left)}
    assert told(session, puffin) == {("mention", guest, left)}
    row = session.execute(select(COMMENTS).where(COMMENTS.c.id == UUID(gone))).one()
    assert (row.text, row.mention_count, row.deleted_at is None) == ("", 0, False)
    mentions = select(func.count()).where(COMMENT_MENTIONS.c.comment_id == UUID(gone))
    assert session.scalar(mentions) == 0


def test_a_posts_author_deletes_what_others_say_there(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    said = say(client, guest, post_id).get_json()["id"]

    replies = [remove(client, author, said) for _ in range(2)]

    assert replies == [(204, None)] * 2
    assert listed(client, post_id, guest) == []
    assert told(session, author) == set()


def test_others_see_a_comment_and_may_not_delete_it(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID
) -> None:
    said = comment(session, make_person(session), post_id)
    session.commit()

    assert remove(client, guest, said) == (403, "not_your_comment")
    assert listed(client, post_id, None) == [str(said)]


@pytest.mark.parametrize("how", ["deleted", "moderation", "writer blocks", "writer suspended"])
def test_a_comment_that_others_cannot_see_is_unknown_to_them(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID, *, how: str
) -> None:
    writer = make_person(session)
    columns: dict[str, dict[str, Any]] = {
        "deleted": {"deleted_at": LONG_AGO, "text": ""},
        "moderation": {"hidden_by": "moderation"},
    }
    said = comment(session, writer, post_id, **columns.get(how, {}))
    if how == "writer blocks":
        relate(session, writer, "b", guest)
    if how == "writer suspended":
        session.execute(update(PROFILES).where(PROFILES.c.user_id == writer).values(suspended_at=LONG_AGO))
    session.commit()

    assert remove(client, guest, said) == (404, "comment_not_found")


def test_who_wrote_a_comment_deletes_it_also_when_the_post_has_gone_out_of_sight(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    said = say(client, guest, post_id).get_json()["id"]
    make_private(session, author)
    session.commit()

    assert remove(client, guest, said) == (204, None)
    assert listed(client, post_id, author) == []


def test_a_hidden_comment_that_its_writer_deletes_is_not_taken_from_the_count_twice(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID
) -> None:
    hidden = comment(session, guest, post_id, hidden_by="moderation")
    shown = comment(session, guest, post_id)
    session.commit()

    assert remove(client, guest, hidden) == (204, None)
    assert listed(client, post_id, None) == [str(shown)]


def test_people_whom_a_comment_names_are_told_if_they_may_see_the_post(
    client: FlaskClient, session: Session, author: UUID, guest: UUID
) -> None:
    puffin, owl, seal, narwhal = (
        make_person(session, username=name) for name in ("puffin", "snowy_owl", "harp_seal", "narwhal")
    )
    relate(session, puffin, "f", author)
    relate(session, guest, "f", author)
    relate(session, seal, "f", author)
    relate(session, seal, "b", guest)
    relate(session, narwhal, "f", author)
    relate(session, narwhal, "m", guest)
    post_id = make_post(session, author, visibility="followers")
    session.commit()

    words = "@puffin @snowy_owl @harp_seal @narwhal @nobody @arctic.fox @puffin"
    said = say(client, guest, post_id, words).get_json()

    assert [one["username"] for one in said["mentions"]] == ["arctic.fox", "narwhal", "puffin", "snowy_owl"]
    fact = ("mention", guest, said["id"])
    assert [told(session, person) for person in (puffin, owl, seal)] == [{fact}, set(), set()]
    assert told(session, author) == {("comment", guest, said["id"])}
    seen_by_seal = client.get(f"/v1/posts/{post_id}/comments", headers=bearer(seal)).get_json()
    assert seen_by_seal["data"] == []


def test_a_mention_of_who_is_hidden_from_the_reader_is_left_out(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID
) -> None:
    puffin, owl = (make_person(session, username=name) for name in ("puffin", "snowy_owl"))
    said = comment(session, guest, post_id, text="@puffin @snowy_owl")
    mention(session, said, puffin, "puffin")
    mention(session, said, owl, "snowy_owl")
    relate(session, owl, "b", puffin)
    session.commit()

    (seen,) = client.get(f"/v1/posts/{post_id}/comments", headers=bearer(puffin)).get_json()["data"]

    assert seen["mentions"] == [{"user_id": str(puffin), "username": "puffin"}]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_hidden_people_are_left_out_and_the_pages_go_on(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID, *, limit: int
) -> None:
    friend, blocked, blocking, suspended, muted = make_people(session, 5)
    relate(session, guest, "b", blocked)
    relate(session, blocking, "b", guest)
    relate(session, guest, "m", muted)
    writers = [friend, blocked, blocking, muted, blocked, blocked, friend]
    said = [
        comment(session, person, post_id, at=LONG_AGO + timedelta(seconds=number))
        for number, person in enumerate(writers)
    ]
    # Of suspended people, what was said is hidden at once and taken from the count by and by.
    comment(session, suspended, post_id, hidden_by="suspension")
    comment(session, friend, post_id, deleted_at=LONG_AGO, text="")
    session.commit()

    shown = [said[6], said[3], said[0]]
    assert listed(client, post_id, guest, limit=limit) == [str(one) for one in shown]
    assert len(listed(client, post_id, None, limit=limit)) == len(writers)


def test_a_block_deletes_comments_under_each_others_posts_and_hides_them_elsewhere(
    client: FlaskClient, session: Session, author: UUID, guest: UUID
) -> None:
    other, puffin = make_person(session), make_person(session, username="puffin")
    mine, theirs, elsewhere = (make_post(session, person) for person in (author, guest, other))
    session.commit()
    kept = [say(client, person, post).get_json()["id"] for person, post in ((other, mine), (guest, theirs))]
    for person, post in ((guest, mine), (guest, mine), (author, theirs)):
        say(client, person, post, "@puffin")
    away = say(client, guest, elsewhere).get_json()["id"]

    block_account(session, actor_id=author, blocked_id=guest, now=LONG_AGO)
    session.commit()

    assert (listed(client, mine, author), listed(client, theirs, guest)) == ([kept[0]], [kept[1]])
    assert listed(client, elsewhere, author) == []
    assert listed(client, elsewhere, other) == listed(client, elsewhere, guest) == [away]
    assert told(session, puffin) == set()
    assert {kind for kind, actor, _ in told(session, author) if actor == guest} == set()
    unblock_account(session, actor_id=author, blocked_id=guest, now=LONG_AGO)
    session.commit()
    assert (listed(client, mine, author), listed(client, elsewhere, author)) == ([kept[0]], [away])


def test_comments_of_a_deleted_post_vanish_with_what_was_told(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    puffin = make_person(session, username="puffin")
    session.commit()
    said = say(client, guest, post_id, "@puffin").get_json()["id"]

    delete_post(session, post_id=post_id, author_id=author, now=LONG_AGO)
    session.commit()

    for person in (author, guest, puffin):
        reply = client.get(f"/v1/posts/{post_id}/comments", headers=bearer(person))
        assert reply.status_code == 404
        assert told(session, person) == set()
    assert remove(client, author, said) == (404, "comment_not_found")
    assert remove(client, guest, said) == (204, None)


def test_comments_move_a_post_up_in_explore_and_back(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID
) -> None:
    rank = select(POSTS.c.rank_at - POSTS.c.published_at).where(POSTS.c.id == post_id)

    said = [say(client, guest, post_id).get_json()["id"] for _ in range(4)]
    session.rollback()
    risen = session.scalar(rank)
    for comment_id in said:
        remove(client, guest, comment_id)
    session.rollback()

    assert (risen, session.scalar(rank)) == (timedelta(hours=18), timedelta(0))


def test_a_count_that_had_drifted_keeps_nobody_from_deleting(
    client: FlaskClient, session: Session, guest: UUID, post_id: UUID
) -> None:
    said = comment(session, guest, post_id)
    session.execute(text("UPDATE posts SET comment_count = 0"))
    session.commit()

    assert remove(client, guest, said) == (204, None)
    session.rollback()
    assert session.scalar(select(POSTS.c.comment_count).where(POSTS.c.id == post_id)) == 0


def test_a_recount_names_and_mends_what_was_wrong(session: Session, author: UUID, guest: UUID) -> None:
    right, wrong = make_post(session, author), make_post(session, author, comment_count=7)
    for post in (right, wrong):
        comment(session, guest, post)
        comment(session, guest, post, hidden_by="moderation")
        comment(session, guest, post, deleted_at=LONG_AGO, text="")

    mended = recount_comments(session, [right, wrong])

    assert mended == [wrong]
    row = session.execute(select(POSTS).where(POSTS.c.id == wrong)).one()
    assert (row.comment_count, row.rank_at - row.published_at) == (1, timedelta(hours=6))


def test_a_cursor_of_comments_fits_its_post_and_viewer(
    client: FlaskClient, session: Session, author: UUID, guest: UUID, post_id: UUID
) -> None:
    other = make_post(session, author)
    for _ in range(2):
        comment(session, guest, post_id)
    session.commit()
    page = client.get(f"/v1/posts/{post_id}/comments?limit=1", headers=bearer(guest)).get_json()
    cursor = page["page"]["next_cursor"]

    replies = [
        client.get(f"/v1/posts/{other}/comments?cursor={cursor}", headers=bearer(guest)),
        client.get(f"/v1/posts/{post_id}/comments?cursor={cursor}", headers=bearer(author)),
        client.get(f"/v1/posts/{post_id}/comments?cursor=x", headers=bearer(guest)),
    ]

    assert [(reply.status_code, reply.get_json()["code"]) for reply in replies] == [
        (400, "invalid_cursor")
    ] * 3

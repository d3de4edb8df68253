"""Reporting people, posts and comments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.locks import wait_for_a_waiter
from factories.social_accounts import delete_account, erase_all, rows_naming
from factories.social_moderation import say, suspend
from factories.social_people import add_noise, make_people, make_person, relate
from factories.social_posts import add_post_noise, make_post, media_ready
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import NotFound
from igloo_common.ids import new_id
from igloo_common.rate_limits import RateLimit, take
from igloo_social.models.reports import ReportReason, ReportTarget
from igloo_social.operations.account_tasks import request_erasure
from igloo_social.operations.reports import NewReport, report
from igloo_social.schemas.reports import ReportSchema

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse


class Scene:
    """Somebody who reports, somebody who is reported, and things of theirs, among strangers."""

    def __init__(self, session: Session) -> None:
        self.reporter, self.owner = make_people(session, 2)
        add_noise(session, self.reporter, self.owner)
        add_post_noise(session)
        self.post = make_post(session, self.owner, caption="Fish for sale")
        self.comment = say(session, self.owner, self.post, "Buy fish")
        session.commit()

    def target(self, kind: str) -> UUID:
        """Return the id of the owner, or of a thing of theirs."""
        return {"user": self.owner, "post": self.post, "comment": self.comment}[kind]


@pytest.fixture
def scene(session: Session) -> Scene:
    return Scene(session)


KINDS = pytest.mark.parametrize("kind", ["user", "post", "comment"])


def send(client: FlaskClient, who: UUID, kind: str, target: UUID, **more: Any) -> TestResponse:  # noqa: ANN401 - any JSON
    headers = {**bearer(who), **more.pop("headers", {})}
    body = {"target_kind": kind, "target_id": str(target), "reason": "spam", **more}
    return client.post("/v1/reports", json=body, headers=headers)


def stored(session: Session) -> list[dict[str, Any]]:
    session.rollback()
    return [dict(row._mapping) for row in session.execute(text("SELECT * FROM reports ORDER BY created_at"))]


@KINDS
def test_what_is_reported_is_kept_as_it_reads_now(
    client: FlaskClient, session: Session, scene: Scene, kind: str
) -> None:
    session.execute(
        text(
            "UPDATE profiles SET username = 'puffin', display_name = '퍼핀', bio = 'Fish' WHERE user_id = :id"
        ),
        {"id": scene.owner},
    )
    session.commit()

    reply = send(client, scene.reporter, kind, scene.target(kind), note="Again and again")

    assert reply.status_code == 201
    body = reply.get_json()
    assert ReportSchema().validate(body) == {}
    assert (body["target_kind"], body["target_id"]) == (kind, str(scene.target(kind)))
    assert (body["reason"], body["note"], body["state"]) == ("spam", "Again and again", "open")
    (row,) = stored(session)
    assert (row["reporter_id"], row["owner_id"], row["resolution"]) == (scene.reporter, scene.owner, None)
    assert row["snapshot"] == {
        "username": "puffin",
        "display_name": "퍼핀",
        "text": {"user": "Fish", "post": "Fish for sale", "comment": "Buy fish"}[kind],
        "media_ids": [],
        "visibility": "public",
        "post_id": str(scene.post) if kind == "comment" else None,
    }


def test_the_photos_of_a_reported_post_are_named(client: FlaskClient, session: Session, scene: Scene) -> None:
    media_ids = [new_id(), new_id()]
    for position, media_id in enumerate(media_ids):
        media_ready(session, media_id, scene.owner)
        session.execute(
            text("UPDATE media_items SET post_id = :p WHERE media_id = :m"),
            {"m": media_id, "p": scene.post},
        )
        session.execute(
            text("INSERT INTO post_images VALUES (:p, :n, :m)"),
            {"p": scene.post, "n": position, "m": media_id},
        )
    session.commit()

    send(client, scene.reporter, "post", scene.post)

    assert stored(session)[0]["snapshot"]["media_ids"] == [str(media_id) for media_id in media_ids]


@KINDS
def test_said_again_while_it_is_open_it_is_the_same_report(
    client: FlaskClient, session: Session, scene: Scene, kind: str
) -> None:
    target, other = scene.target(kind), make_person(session)
    session.commit()
    first = send(client, scene.reporter, kind, target, note="First")
    again = send(client, scene.reporter, kind, target, reason="hate", note="Second")
    others = send(client, other, kind, target)
    session.execute(text("UPDATE reports SET resolution = 'dismiss', resolved_at = now()"))
    session.commit()
    anew = send(client, scene.reporter, kind, target)

    assert [reply.status_code for reply in (first, again, others, anew)] == [201, 200, 201, 201]
    assert again.get_json() == first.get_json()
    assert len({reply.get_json()["id"] for reply in (first, others, anew)}) == 3


def test_a_request_sent_again_with_its_key_has_its_first_reply(client: FlaskClient, scene: Scene) -> None:
    headers = {"Idempotency-Key": "once"}
    first = send(client, scene.reporter, "post", scene.post, headers=headers)
    again = send(client, scene.reporter, "post", scene.post, headers=headers)
    other = send(client, scene.reporter, "post", scene.post, reason="hate", headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.get_json() == first.get_json()
    assert other.get_json()["code"] == "idempotency_key_reused"


UNSEEN = [
    (kind, ground)
    for kind in ("user", "post", "comment")
    for ground in ("unknown", "blocked", "blocking", "suspended", "private", "deleted")
    # One still sees a person whom one blocks, and a private account.
    if kind != "user" or ground not in ("blocking", "private")
]


@pytest.mark.parametrize(("kind", "ground"), UNSEEN)
def test_what_the_reporter_does_not_see_is_answered_as_unknown(
    client: FlaskClient, session: Session, scene: Scene, kind: str, ground: str
) -> None:
    unknown = send(client, scene.reporter, kind, new_id()).get_json()
    target = new_id() if ground == "unknown" else scene.target(kind)
    if ground == "blocked":
        relate(session, scene.owner, "b", scene.reporter)
    elif ground == "blocking":
        relate(session, scene.reporter, "b", scene.owner)
    elif ground == "suspended":
        suspend(session, scene.owner)
    elif ground == "private":
        session.execute(
            text("UPDATE profiles SET is_private = true WHERE user_id = :id"), {"id": scene.owner}
        )
    elif ground == "deleted":
        session.execute(text("UPDATE posts SET deleted_at = now() WHERE id = :id"), {"id": scene.post})
        session.execute(
            text("UPDATE profiles SET deleted_at = now() WHERE user_id = :id"), {"id": scene.owner}
        )
    session.commit()

    reply = send(client, scene.reporter, kind, target)

    assert reply.status_code == 404
    told = {name: value for name, value in reply.get_json().items() if name not in ("request_id", "instance")}
    assert told == {name: unknown[name] for name in told}
    assert stored(session) == []


def test_a_blocked_person_may_be_reported_by_who_blocks_them(
    client: FlaskClient, session: Session, scene: Scene
) -> None:
    relate(session, scene.reporter, "b", scene.owner)
    session.commit()

    assert send(client, scene.reporter, "user", scene.owner).status_code == 201


def test_hidden_and_deleted_comments_are_not_reported(
    client: FlaskClient, session: Session, scene: Scene
) -> None:
    gone = say(session, scene.owner, scene.post, "", deleted_at=utc_now())
    hidden = say(session, scene.owner, scene.post, "Fish", hidden_by="moderation")
    session.commit()

    for comment in (gone, hidden):
        reply = send(client, scene.reporter, "comment", comment)
        assert (reply.status_code, reply.get_json()["code"]) == (404, "comment_not_found")


@KINDS
def test_nobody_reports_what_is_theirs(client: FlaskClient, scene: Scene, kind: str) -> None:
    reply = send(client, scene.owner, kind, scene.target(kind))

    assert (reply.status_code, reply.get_json()["code"]) == (422, "own_report")
    assert [error["pointer"] for error in reply.get_json()["errors"]] == ["/target_id"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"target_kind": "photo"}, "/target_kind"),
        ({"target_kind": None}, "/target_kind"),
        ({"target_id": "fish"}, "/target_id"),
        ({"reason": "boring"}, "/reason"),
        ({"reason": 5}, "/reason"),
        ({"note": "x" * 501}, "/note"),
        ({"note": "fish\x00"}, "/note"),
        ({"note": "\u202efish"}, "/note"),
        ({"note": None}, "/note"),
        ({"reporter_id": "01a209d0-0000-7000-8000-000000000000"}, "/reporter_id"),
    ],
)
def test_what_cannot_be_a_report_is_refused_by_name(
    client: FlaskClient, session: Session, scene: Scene, changes: dict[str, Any], pointer: str
) -> None:
    body = {"target_kind": "post", "target_id": str(scene.post), "reason": "spam", **changes}

    reply = client.post("/v1/reports", json=body, headers=bearer(scene.reporter))

    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.get_json()["errors"]] == [pointer]
    assert stored(session) == []


def test_a_report_needs_a_caller_and_a_body(client: FlaskClient, scene: Scene) -> None:
    assert client.post("/v1/reports", json={}).status_code == 401
    missing = client.post("/v1/reports", json={}, headers=bearer(scene.reporter)).get_json()
    assert {error["pointer"] for error in missing["errors"]} == {"/target_kind", "/target_id", "/reason"}
    assert client.post("/v1/reports", data="fish", headers=bearer(scene.reporter)).status_code in (400, 415)


def test_who_reports_too_much_waits_and_others_do_not(
    app: Flask, client: FlaskClient, session: Session, scene: Scene
) -> None:
    first = send(client, scene.reporter, "post", scene.post)
    quota = 30
    assert first.headers["RateLimit-Policy"] == f'"reports";q={quota};w=3600'
    replies = [send(client, scene.reporter, "post", scene.post) for _ in range(quota)]

    assert [reply.status_code for reply in replies] == [200] * (quota - 1) + [429]
    assert replies[-1].get_json()["code"] == "rate_limited"
    assert int(replies[-1].headers["Retry-After"]) > 0
    assert send(client, make_known(session), "post", scene.post).status_code == 201


def make_known(session: Session) -> UUID:
    person = make_person(session)
    session.commit()
    return person


def new_report(scene: Scene, kind: str = "post") -> NewReport:
    return NewReport(target_kind=ReportTarget(kind), target_id=scene.target(kind), reason=ReportReason.SPAM)


def test_many_who_say_the_same_at_once_make_one_report(app: Flask, session: Session, scene: Scene) -> None:
    barrier = Barrier(8)

    def say_it() -> tuple[UUID, bool]:
        with app.app_context():
            barrier.wait(timeout=10)
            with transaction() as opened:
                said = report(opened, new_report(scene), reporter_id=scene.reporter, now=utc_now())
            return said.report.id, said.is_new

    with ThreadPoolExecutor(8) as pool:
        said = [future.result(timeout=30) for future in [pool.submit(say_it) for _ in range(8)]]

    assert len({report_id for report_id, _ in said}) == 1
    assert sum(is_new for _, is_new in said) == 1


@KINDS
@pytest.mark.parametrize("leaver", ["owner", "reporter"])
def test_a_report_at_the_moment_of_a_deletion_is_erased_or_not_made(
    app: Flask, session: Session, scene: Scene, kind: str, leaver: str
) -> None:
    gone: UUID = getattr(scene, leaver)
    request_erasure(session, deletion_id=new_id(), account_id=gone, now=utc_now())

    def report_it() -> None:
        with app.app_context(), transaction() as opened, pytest.raises(NotFound):
            report(opened, new_report(scene, kind), reporter_id=scene.reporter, now=utc_now())

    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(report_it)
        wait_for_a_waiter(session, effort)
        session.commit()
        effort.result(timeout=10)

    assert stored(session) == []


def test_of_who_left_no_report_tells_and_what_they_reported_stays_reported(
    app: Flask, client: FlaskClient, session: Session, scene: Scene
) -> None:
    send(client, scene.reporter, "user", scene.owner, note="I am the Snow Hare")
    send(client, scene.owner, "user", scene.reporter)
    session.execute(text("DELETE FROM comments"))
    session.commit()
    delete_account(session, scene.reporter)

    erase_all(app)

    (row,) = stored(session)
    assert (row["reporter_id"], row["owner_id"], row["note"]) == (None, scene.owner, "")
    assert "reports" not in rows_naming(session, scene.reporter)


def test_the_bucket_of_a_person_fills_again(app: Flask, session: Session) -> None:
    limit, now = RateLimit(name="reports", quota=30, window_seconds=3600), utc_now()
    for _ in range(30):
        assert take(session, limit, subject="hare", now=now).allowed

    assert not take(session, limit, subject="hare", now=now).allowed
    assert take(session, limit, subject="hare", now=now + timedelta(seconds=120)).allowed

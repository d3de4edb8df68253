"""What becomes of what is reported when moderators decide, and when they take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.moderation_office import REPORTS, Office, ids
from factories.social_events import emitted
from factories.social_moderation import miscounted, move_all, reinstate, state_of_everything
from factories.social_people import make_person
from factories.social_posts import deliver
from factories.tokens import bearer
from igloo_social.schemas.moderation import (
    ModeratedReportSchema,
)

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session


@pytest.fixture
def office(client: FlaskClient, session: Session) -> Office:
    return Office(client, session)


def test_a_dismissal_closes_all_reports_of_the_thing_and_nothing_else_changes(office: Office) -> None:
    reports = [office.reported("post") for _ in range(3)]
    other = office.reported("comment")
    before = state_of_everything(office.session)

    reply = office.resolves(reports[1], "dismiss", note="Only fish")

    assert reply.status_code == 200
    assert ModeratedReportSchema().validate(reply.get_json()) == {}
    assert (reply.get_json()["state"], reply.get_json()["resolution"]) == ("resolved", "dismiss")
    assert ids(office.get(REPORTS)) == [other]
    assert set(ids(office.get(f"{REPORTS}?state=resolved"))) == set(reports)
    assert state_of_everything(office.session) == before
    assert office.actions() == [("dismiss", reports[1], "Only fish")]


def test_a_hidden_post_is_its_authors_alone_and_comes_back_with_everything(office: Office) -> None:
    report_id = office.reported("post")
    listed = f"/v1/users/{office.owner}/posts"
    counts = text("SELECT public_post_count, post_count FROM profiles WHERE user_id = :id")
    before = office.session.execute(counts, {"id": office.owner}).one()
    office.session.rollback()

    office.resolves(report_id, "hide_post")

    for path in (f"/v1/posts/{office.post}", f"/v1/posts/{office.post}/likes"):
        assert office.sees(office.fan, path) == 404
        assert office.client.get(path).status_code == 404
    for path in (listed, "/v1/tags/snow/posts", "/v1/explore", "/v1/feed"):
        reply = office.client.get(path, headers=bearer(office.fan)).get_json()
        assert str(office.post) not in [post["id"] for post in reply["data"]], path
    own = office.client.get(f"/v1/posts/{office.post}", headers=bearer(office.owner)).get_json()
    assert (own["state"], own["caption"]) == ("hidden", "Fish #snow")
    assert len(emitted(office.session, "social.post.changed.v1")) == 1
    after = office.session.execute(counts, {"id": office.owner}).one()
    assert tuple(after) == (before[0] - 1, before[1])
    edited = office.client.patch(
        f"/v1/posts/{office.post}",
        json={"caption": "#snow", "visibility": "public"},
        headers=bearer(office.owner),
    )
    assert (edited.status_code, edited.get_json()["state"]) == (200, "hidden")
    assert office.sees(office.fan, f"/v1/posts/{office.post}") == 404
    assert office.get(f"{REPORTS}/{report_id}").get_json()["target"]["state"] == "hidden"

    assert office.reopens(report_id, note="A mistake").status_code == 200

    assert office.sees(office.fan, f"/v1/posts/{office.post}") == 200
    shown = office.client.get("/v1/tags/snow/posts").get_json()["data"]
    assert str(office.post) in [post["id"] for post in shown]
    assert office.session.execute(counts, {"id": office.owner}).one() == before
    assert ids(office.get(REPORTS)) == [report_id]
    assert [action for action, _, _ in office.actions()] == ["reopen", "hide_post"]


def test_the_author_may_delete_a_hidden_post_and_a_later_reopening_brings_nothing_back(
    office: Office,
) -> None:
    report_id = office.reported("post")
    office.resolves(report_id, "hide_post")

    gone = office.client.delete(f"/v1/posts/{office.post}", headers=bearer(office.owner))
    reopened = office.reopens(report_id)

    assert (gone.status_code, reopened.status_code) == (204, 200)
    assert office.sees(office.owner, f"/v1/posts/{office.post}") == 404
    assert office.resolves(report_id, "hide_post").status_code == 200


def test_a_hidden_comment_is_counted_nowhere_and_comes_back(office: Office) -> None:
    report_id = office.reported("comment")
    path = f"/v1/posts/{office.post}"

    def count() -> tuple[int, int]:
        post = office.client.get(path, headers=bearer(office.fan)).get_json()
        listed = office.client.get(f"{path}/comments", headers=bearer(office.fan)).get_json()["data"]
        return post["comment_count"], len(listed)

    assert count() == (1, 1)
    office.resolves(report_id, "hide_comment")
    assert count() == (0, 0)
    office.reopens(report_id)
    assert count() == (1, 1)
    assert miscounted(office.session) == []


def test_what_was_told_of_a_hidden_comment_is_taken_back(office: Office) -> None:
    friend = make_person(office.session)
    office.session.commit()
    said = office.client.post(
        f"/v1/posts/{office.post}/comments", json={"text": "Buy fish"}, headers=bearer(friend)
    ).get_json()
    kinds = text("SELECT kind FROM notifications WHERE recipient_id = :id AND kind = 'comment'")
    assert office.session.scalars(kinds, {"id": office.owner}).all() == ["comment"]
    office.session.rollback()

    office.resolves(office.reported("comment", UUID(said["id"])), "hide_comment")

    assert office.session.scalars(kinds, {"id": office.owner}).all() == []


def test_a_comment_hidden_twice_over_shows_when_both_grounds_are_gone(app: Flask, office: Office) -> None:
    comment_report, person_report = office.reported("comment"), office.reported("user")
    office.resolves(comment_report, "hide_comment")
    office.resolves(person_report, "suspend_account")
    move_all(app)
    hidden_by = text("SELECT hidden_by FROM comments WHERE id = :id")

    office.reopens(comment_report)
    office.session.rollback()
    assert office.session.scalar(hidden_by, {"id": office.comment}) == "suspension"
    reinstate(office.session, office.owner)
    move_all(app)

    office.session.rollback()
    assert office.session.scalar(hidden_by, {"id": office.comment}) is None
    assert miscounted(office.session) == []


@pytest.mark.parametrize("kind", ["user", "post", "comment"])
def test_a_suspension_hides_the_owner_at_once_and_is_told_to_auth(
    app: Flask, office: Office, kind: str
) -> None:
    report_id = office.reported(kind, reason="harassment")

    office.resolves(report_id, "suspend_account", note="Third time")

    assert office.sees(office.fan, f"/v1/users/{office.owner}") == 404
    assert office.sees(office.fan, f"/v1/posts/{office.post}") == 404
    assert miscounted(office.session) == []
    (decided,) = emitted(office.session, "social.suspension.decided.v1")
    assert (decided["account_id"], decided["report_id"]) == (str(office.owner), report_id)
    assert decided["reason"] == "Moderators found that this account broke the rules about harassment."
    assert office.get(f"{REPORTS}/{report_id}").get_json()["owner_state"] == "suspended"
    move_all(app)
    assert miscounted(office.session) == []


def test_a_suspension_taken_back_ends_with_the_word_of_auth(app: Flask, office: Office) -> None:
    before = state_of_everything(office.session)
    report_id = office.reported("user")
    office.resolves(report_id, "suspend_account")
    move_all(app)

    office.reopens(report_id)

    (lifted,) = emitted(office.session, "social.suspension.lifted.v1")
    assert lifted["account_id"] == str(office.owner)
    deliver(office.session, "auth.account.suspended.v1", account_id=office.owner)
    office.session.commit()
    assert office.sees(office.fan, f"/v1/users/{office.owner}") == 404, "a late word changes nothing"
    reinstate(office.session, office.owner)
    move_all(app)
    assert office.sees(office.fan, f"/v1/users/{office.owner}") == 200
    after = state_of_everything(office.session)
    assert after | {"people": []} == before | {"people": []}

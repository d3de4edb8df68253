"""What moderators read and decide, and who may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from factories.locks import wait_for_a_waiter
from factories.social_accounts import delete_account, erase_all
from factories.social_events import emitted
from factories.social_moderation import miscounted, move_all, reinstate, say, state_of_everything
from factories.social_people import add_noise, make_people, make_person, relate
from factories.social_posts import RENDITIONS, add_post_noise, deliver, like, make_post
from factories.tokens import bearer
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import Conflict
from igloo_common.ids import new_id
from igloo_social.models.reports import Resolution
from igloo_social.operations.moderation import Decision, resolve_report
from igloo_social.operations.posts import delete_post
from igloo_social.schemas.moderation import (
    ActionsPageSchema,
    ModeratedReportSchema,
    ReportsPageSchema,
    WholeReportSchema,
)

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse

REPORTS = "/v1/moderation/reports"
ACTIONS = "/v1/moderation/actions"
NOBODYS = "01a209d0-0000-7000-8000-000000000000"


IMAGE = {
    "media_id": str(new_id()),
    "width": 2048,
    "height": 1536,
    "blurhash": None,
    "dominant_color": None,
    "alt_text": "A fish",
    "renditions": {
        one["name"]: {name: one[name] for name in ("width", "height", "content_type")} for one in RENDITIONS
    },
}


class Office:
    """A moderator at work, somebody who is reported, and people who report."""

    def __init__(self, client: FlaskClient, session: Session) -> None:
        self.client, self.session = client, session
        self.moderator, self.owner, self.fan = make_people(session, 3)
        add_noise(session, self.moderator, self.owner, self.fan)
        add_post_noise(session)
        relate(session, self.fan, "f", self.owner)
        self.post = make_post(session, self.owner, caption="Fish #snow", images=[IMAGE], tags=["snow"])
        self.comment = say(session, self.owner, self.post, "Buy fish")
        like(session, self.fan, self.post)
        session.commit()

    def target(self, kind: str) -> UUID:
        """Return the id of the owner, or of a thing of theirs."""
        return {"user": self.owner, "post": self.post, "comment": self.comment}[kind]

    def reported(self, kind: str, target: UUID | None = None, *, by: UUID | None = None, **more: str) -> str:
        """Have somebody report something, and return the report's id."""
        reporter = by or make_person(self.session)
        self.session.commit()
        body = {
            "target_kind": kind,
            "target_id": str(target or self.target(kind)),
            "reason": "spam",
            **more,
        }
        reply = self.client.post("/v1/reports", json=body, headers=bearer(reporter))
        assert reply.status_code in (200, 201), reply.get_json()
        report_id: str = reply.get_json()["id"]
        return report_id

    def get(self, path: str, *, by: UUID | None = None) -> TestResponse:
        """Read as a moderator."""
        return self.client.get(path, headers=bearer(by or self.moderator, scopes="moderator user"))

    def post_to(self, path: str, body: dict[str, Any], *, by: UUID | None = None) -> TestResponse:
        """Act as a moderator."""
        headers = bearer(by or self.moderator, scopes="moderator user")
        return self.client.post(path, json=body, headers=headers)

    def resolves(self, report_id: str, resolution: str, **more: Any) -> TestResponse:  # noqa: ANN401 - any JSON
        """Decide about a report."""
        by = more.pop("by", None)
        return self.post_to(f"{REPORTS}/{report_id}/resolve", {"resolution": resolution, **more}, by=by)

    def reopens(self, report_id: str, **more: Any) -> TestResponse:  # noqa: ANN401 - any JSON
        """Take a decision back."""
        by = more.pop("by", None)
        return self.post_to(f"{REPORTS}/{report_id}/reopen", more, by=by)

    def actions(self, query: str = "") -> list[tuple[str, str, str]]:
        """Read the trail, the last first, as (action, report, note)."""
        reply = self.get(f"{ACTIONS}{query}")
        assert reply.status_code == 200
        assert ActionsPageSchema().validate(reply.get_json()) == {}
        return [(one["action"], one["report_id"], one["note"]) for one in reply.get_json()["data"]]

    def sees(self, viewer: UUID, path: str) -> int:
        """Return what a person is answered."""
        return self.client.get(path, headers=bearer(viewer)).status_code


@pytest.fixture
def office(client: FlaskClient, session: Session) -> Office:
    return Office(client, session)


def ids(reply: TestResponse) -> list[str]:
    return [entry["id"] for entry in reply.get_json()["data"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", REPORTS),
        ("GET", f"{REPORTS}/{NOBODYS}"),
        ("POST", f"{REPORTS}/{NOBODYS}/resolve"),
        ("POST", f"{REPORTS}/{NOBODYS}/reopen"),
        ("GET", ACTIONS),
    ],
)
def test_only_moderators_come_in(client: FlaskClient, office: Office, method: str, path: str) -> None:
    anonymous = client.open(path, method=method, json={} if method == "POST" else None)
    stranger = client.open(
        path, method=method, json={} if method == "POST" else None, headers=bearer(office.fan, scopes="user")
    )

    assert anonymous.status_code == 401
    assert (stranger.status_code, stranger.get_json()["code"]) == (403, "insufficient_scope")
    assert 'scope="moderator"' in stranger.headers["WWW-Authenticate"]


def test_the_queue_begins_with_the_oldest_and_can_be_paged_both_ways(office: Office) -> None:
    made = [office.reported("user", target=make_person(office.session)) for _ in range(5)]
    resolved = office.reported("comment")
    office.resolves(resolved, "dismiss")

    whole = office.get(REPORTS)
    first = office.get(f"{REPORTS}?limit=2")
    pages = [first]
    while cursor := pages[-1].get_json()["page"]["next_cursor"]:
        pages.append(office.get(f"{REPORTS}?limit=2&cursor={cursor}"))
    back = office.get(f"{REPORTS}?limit=2&cursor={pages[-1].get_json()['page']['prev_cursor']}")
    before = office.get(f"{REPORTS}?limit=2&cursor={first.get_json()['page']['prev_cursor']}")

    assert ReportsPageSchema().validate(whole.get_json()) == {}
    assert ids(whole) == made
    assert [ids(page) for page in pages] == [made[:2], made[2:4], made[4:]]
    assert ids(back) == made[2:4]
    assert ids(before) == []
    assert ids(office.get(f"{REPORTS}?state=resolved")) == [resolved]


def test_the_resolved_are_listed_newest_first(office: Office) -> None:
    made = [office.reported("user", target=make_person(office.session)) for _ in range(3)]
    for report_id in made:
        office.resolves(report_id, "dismiss")

    assert ids(office.get(f"{REPORTS}?state=resolved")) == made[::-1]
    assert ids(office.get(REPORTS)) == []


def test_an_entry_says_all_that_a_decision_needs(office: Office) -> None:
    reporter = make_person(office.session)
    report_id = office.reported("post", by=reporter, note="Look")
    office.reported("post")
    office.reported("comment")
    office.session.execute(text("UPDATE posts SET caption = 'Nothing' WHERE id = :id"), {"id": office.post})
    office.session.commit()

    entry = office.get(REPORTS).get_json()["data"][0]

    assert ModeratedReportSchema().validate(entry) == {}
    assert entry["id"] == report_id
    assert (entry["reporter_id"], entry["owner"]["id"]) == (str(reporter), str(office.owner))
    assert (entry["note"], entry["reason"], entry["open_reports"]) == ("Look", "spam", 2)
    assert entry["snapshot"]["text"] == "Fish #snow"
    assert (entry["resolution"], entry["owner_state"]) == (None, "shown")


def test_a_moderator_sees_what_is_reported_as_it_is_now_and_every_look_is_noted(office: Office) -> None:
    office.session.execute(
        text("UPDATE profiles SET is_private = true WHERE user_id = :id"), {"id": office.owner}
    )
    report_id = office.reported("post", by=office.fan)
    assert office.sees(office.moderator, f"/v1/posts/{office.post}") == 404

    reply = office.get(f"{REPORTS}/{report_id}")

    body = reply.get_json()
    assert WholeReportSchema().validate(body) == {}
    assert (body["target"]["state"], body["target"]["text"]) == ("shown", "Fish #snow")
    (image,) = body["target"]["images"]
    assert all("/media/" in one["url"] and "?" in one["url"] for one in image["renditions"].values())
    assert office.actions() == []
    assert office.actions("?views=true") == [("view", report_id, "")]


@pytest.mark.parametrize("kind", ["user", "post", "comment"])
def test_every_kind_of_thing_is_shown_while_it_is_there_and_after(office: Office, kind: str) -> None:
    report_id = office.reported(kind)
    before = office.get(f"{REPORTS}/{report_id}").get_json()
    for table, column in (("posts", "id"), ("profiles", "user_id")):
        target = office.post if table == "posts" else office.owner
        office.session.execute(
            text(f"UPDATE {table} SET deleted_at = now() WHERE {column} = :id"),  # noqa: S608 - our words
            {"id": target},
        )
    office.session.execute(text("UPDATE comments SET deleted_at = now(), text = ''"))
    office.session.commit()
    after = office.get(f"{REPORTS}/{report_id}").get_json()

    for body in (before, after):
        assert WholeReportSchema().validate(body) == {}
    assert before["target"]["state"] == "shown"
    assert after["target"] == {
        "state": "deleted",
        "text": None,
        "visibility": None,
        "post_id": None,
        "images": [],
        "created_at": None,
        "edited_at": None,
    }
    assert after["snapshot"] == before["snapshot"]


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


def test_what_another_decision_demands_as_well_stays(office: Office) -> None:
    person, comment = office.reported("user"), office.reported("comment")
    for report_id in (person, comment):
        office.resolves(report_id, "suspend_account")

    office.reopens(person)
    assert emitted(office.session, "social.suspension.lifted.v1") == []
    office.reopens(comment)

    assert len(emitted(office.session, "social.suspension.lifted.v1")) == 1
    assert len(emitted(office.session, "social.suspension.decided.v1")) == 2


@pytest.mark.parametrize(
    ("kind", "resolution"),
    [
        ("user", "hide_post"),
        ("user", "hide_comment"),
        ("post", "hide_comment"),
        ("comment", "hide_post"),
    ],
)
def test_a_decision_fits_what_is_reported(office: Office, kind: str, resolution: str) -> None:
    reply = office.resolves(office.reported(kind), resolution)

    assert (reply.status_code, reply.get_json()["code"]) == (422, "resolution_unfit")
    assert [error["pointer"] for error in reply.get_json()["errors"]] == ["/resolution"]
    assert office.actions() == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/resolution"),
        ({"resolution": "praise"}, "/resolution"),
        ({"resolution": "reopen"}, "/resolution"),
        ({"resolution": "dismiss", "note": "x" * 501}, "/note"),
        ({"resolution": "dismiss", "note": "\u202e"}, "/note"),
        ({"resolution": "dismiss", "why": "fish"}, "/why"),
    ],
)
def test_what_is_no_decision_is_refused_by_name(office: Office, body: dict[str, Any], pointer: str) -> None:
    reply = office.post_to(f"{REPORTS}/{office.reported('post')}/resolve", body)

    assert reply.status_code == 422
    assert [error["pointer"] for error in reply.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "path",
    [
        f"{REPORTS}?state=lost",
        f"{REPORTS}?limit=0",
        f"{ACTIONS}?target_id=fish",
        f"{ACTIONS}?owner_id=5",
        f"{ACTIONS}?views=perhaps",
    ],
)
def test_what_cannot_be_asked_is_refused(office: Office, path: str) -> None:
    assert office.get(path).status_code == 422


def test_a_cursor_is_good_for_its_own_list(office: Office) -> None:
    office.reported("post")
    other = make_person(office.session)
    office.session.commit()
    cursor = office.get(REPORTS).get_json()["page"]["prev_cursor"]

    for path in (f"{REPORTS}?state=resolved&", f"{ACTIONS}?"):
        reply = office.get(f"{path}cursor={cursor}")
        assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_cursor")
    assert office.get(f"{REPORTS}?cursor={cursor}", by=other).status_code == 400


def test_an_unknown_report_is_not_found(office: Office) -> None:
    for reply in (
        office.get(f"{REPORTS}/{new_id()}"),
        office.resolves(str(new_id()), "dismiss"),
        office.reopens(str(new_id())),
    ):
        assert (reply.status_code, reply.get_json()["code"]) == (404, "report_not_found")


def test_decided_again_the_same_it_is_unchanged_and_otherwise_refused(office: Office) -> None:
    report_id = office.reported("post")
    first = office.resolves(report_id, "hide_post")

    again = office.resolves(report_id, "hide_post", note="Once more")
    otherwise = office.resolves(report_id, "dismiss")

    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert (otherwise.status_code, otherwise.get_json()["code"]) == (409, "report_resolved")
    assert otherwise.get_json()["resolution"] == "hide_post"
    assert len(office.actions()) == 1


def test_reopening_what_is_open_changes_nothing(office: Office) -> None:
    report_id = office.reported("post")

    assert office.reopens(report_id).status_code == 200
    assert office.actions() == []


def test_a_reopened_decision_opens_all_that_it_closed(office: Office) -> None:
    reports = [office.reported("post") for _ in range(3)]
    office.resolves(reports[0], "hide_post")

    office.reopens(reports[2])

    assert ids(office.get(REPORTS)) == reports
    assert office.sees(office.fan, f"/v1/posts/{office.post}") == 200


def test_who_reports_again_what_was_dismissed_has_one_open_report(office: Office) -> None:
    reporter = make_person(office.session)
    first, others = office.reported("post", by=reporter), office.reported("post")
    office.resolves(first, "dismiss")
    second = office.reported("post", by=reporter)

    refused = office.reopens(first)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "reported_again")
    assert office.reopens(others).status_code == 200

    assert set(ids(office.get(REPORTS))) == {others, second}
    assert ids(office.get(f"{REPORTS}?state=resolved")) == [first]


def test_nobody_decides_about_themselves_or_reads_who_reported_them(office: Office) -> None:
    reports = {office.reported(kind) for kind in ("user", "post", "comment")}

    for report_id in reports:
        for reply in (
            office.get(f"{REPORTS}/{report_id}", by=office.owner),
            office.resolves(report_id, "dismiss", by=office.owner),
            office.reopens(report_id, by=office.owner),
        ):
            assert (reply.status_code, reply.get_json()["code"]) == (403, "own_matter")
    assert ids(office.get(REPORTS, by=office.owner)) == []
    assert set(ids(office.get(REPORTS))) == reports


def test_the_trail_is_found_by_thing_and_by_person(office: Office) -> None:
    post, comment = office.reported("post"), office.reported("comment")
    stranger = office.reported("user", target=make_person(office.session))
    for report_id in (post, comment, stranger):
        office.resolves(report_id, "dismiss")

    def reports(query: str) -> list[str]:
        return [report_id for _, report_id, _ in office.actions(query)]

    assert reports("") == [stranger, comment, post]
    assert reports(f"?target_id={office.post}") == [post]
    assert reports(f"?owner_id={office.owner}") == [comment, post]
    assert reports(f"?owner_id={office.owner}&target_id={office.comment}") == [comment]
    assert reports(f"?owner_id={new_id()}") == []
    assert reports("?limit=1") == [stranger]


@pytest.mark.parametrize(
    "statement", ["UPDATE moderation_actions SET note = 'Never'", "DELETE FROM moderation_actions"]
)
def test_not_even_the_service_can_change_the_trail(office: Office, statement: str) -> None:
    office.resolves(office.reported("post"), "dismiss", note="Only fish")

    with pytest.raises(ProgrammingError, match="append-only"):
        office.session.execute(text(statement))

    office.session.rollback()
    assert [note for _, _, note in office.actions()] == ["Only fish"]


def test_the_trail_outlives_the_person_and_the_reports_do_not(app: Flask, office: Office) -> None:
    office.resolves(office.reported("user"), "suspend_account")
    move_all(app)
    for table in ("comments", "post_tags"):
        office.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - our tables
    office.session.commit()
    delete_account(office.session, office.owner)
    erase_all(app)

    assert office.session.scalar(text("SELECT count(*) FROM reports")) == 0
    assert [action for action, _, _ in office.actions(f"?owner_id={office.owner}")] == ["suspend_account"]


def test_deciding_about_who_has_just_left_suspends_nobody(office: Office) -> None:
    report_id = office.reported("user")
    delete_account(office.session, office.owner)

    assert office.resolves(report_id, "suspend_account").status_code == 200

    assert emitted(office.session, "social.suspension.decided.v1") == []


def test_of_moderators_who_decide_at_once_one_decides(app: Flask, office: Office) -> None:
    reports = [office.reported("post") for _ in range(4)]
    barrier = Barrier(8)

    def decide(number: int) -> str:
        resolution = (Resolution.HIDE_POST, Resolution.DISMISS)[number % 2]
        with app.app_context():
            barrier.wait(timeout=10)
            try:
                with transaction() as session:
                    resolve_report(
                        session,
                        Decision(resolution=resolution),
                        report_id=UUID(reports[number % 4]),
                        moderator_id=new_id(),
                        now=utc_now() + timedelta(milliseconds=number),
                    )
            except Conflict:
                return "refused"
            return resolution

    with ThreadPoolExecutor(8) as pool:
        said = [future.result(timeout=30) for future in [pool.submit(decide, n) for n in range(8)]]

    (action,) = {action for action, _, _ in office.actions()}
    assert len(office.actions()) == 1
    assert sorted(said) == sorted([action] * 4 + ["refused"] * 4)
    expected = 404 if action == "hide_post" else 200
    assert office.sees(office.fan, f"/v1/posts/{office.post}") == expected


def test_who_decides_while_another_has_just_decided_otherwise_is_refused(app: Flask, office: Office) -> None:
    first, second = (UUID(office.reported("post")) for _ in range(2))
    office.session.rollback()

    def decide(session: Session, report_id: UUID, resolution: Resolution) -> None:
        resolve_report(
            session,
            Decision(resolution=resolution),
            report_id=report_id,
            moderator_id=office.moderator,
            now=utc_now(),
        )

    def decide_otherwise() -> None:
        with app.app_context(), pytest.raises(Conflict), transaction() as session:
            decide(session, second, Resolution.HIDE_POST)

    decide(office.session, first, Resolution.DISMISS)
    with ThreadPoolExecutor(1) as pool:
        effort = pool.submit(decide_otherwise)
        wait_for_a_waiter(office.session, effort)
        office.session.commit()
        effort.result(timeout=10)

    assert [action for action, _, _ in office.actions()] == ["dismiss"]
    assert office.sees(office.fan, f"/v1/posts/{office.post}") == 200


def test_a_post_deleted_while_it_is_hidden_ends_deleted(app: Flask, office: Office) -> None:
    for _ in range(6):
        post_id = make_post(office.session, office.owner)
        report_id = office.reported("post", post_id)
        barrier = Barrier(2)

        def hide(report_id: str = report_id, barrier: Barrier = barrier) -> None:
            with app.app_context():
                barrier.wait(timeout=10)
                with transaction() as session:
                    resolve_report(
                        session,
                        Decision(resolution=Resolution.HIDE_POST),
                        report_id=UUID(report_id),
                        moderator_id=office.moderator,
                        now=utc_now(),
                    )

        def remove(post_id: UUID = post_id, barrier: Barrier = barrier) -> None:
            with app.app_context():
                barrier.wait(timeout=10)
                with transaction() as session:
                    delete_post(session, post_id=post_id, author_id=office.owner, now=utc_now())

        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(hide), pool.submit(remove)]:
                future.result(timeout=30)

    office.session.rollback()
    counted = office.session.execute(
        text("SELECT post_count, public_post_count FROM profiles WHERE user_id = :id"), {"id": office.owner}
    ).one()
    assert tuple(counted) == (1, 1)

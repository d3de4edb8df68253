"""What moderators read: the queue, reports with what they are about, and the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from factories.moderation_office import ACTIONS, NOBODYS, REPORTS, Office, ids
from factories.social_accounts import delete_account, erase_all
from factories.social_moderation import move_all
from factories.social_people import make_person
from factories.tokens import bearer
from igloo_common.ids import new_id
from igloo_social.schemas.moderation import (
    ModeratedReportSchema,
    ReportsPageSchema,
    WholeReportSchema,
)

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session


@pytest.fixture
def office(client: FlaskClient, session: Session) -> Office:
    return Office(client, session)


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

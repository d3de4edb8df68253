"""Which decisions moderators can make, alone and at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import text

from factories.locks import wait_for_a_waiter
from factories.moderation_office import REPORTS, Office, ids
from factories.social_accounts import delete_account
from factories.social_events import emitted
from factories.social_people import make_person
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.errors import Conflict
from igloo_common.ids import new_id
from igloo_social.models.reports import Resolution
from igloo_social.operations.moderation import Decision, resolve_report
from igloo_social.operations.posts import delete_post

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy.orm import Session


@pytest.fixture
def office(client: FlaskClient, session: Session) -> Office:
    return Office(client, session)


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

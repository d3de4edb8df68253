from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from factories.social_people import make_people, make_person, relate
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.backlog import REPORTS_OLDEST, REPORTS_OPEN, measure_backlog
from igloo_social.jobs.periodic import JOBS, MEDIA_AWAITED_FOR
from igloo_social.models.account_tasks import ACCOUNT_TASKS
from igloo_social.models.posts import POSTS
from igloo_social.models.profiles import PROFILES
from igloo_social.models.relations import RELATIONS
from igloo_social.models.reports import REPORTS
from igloo_social.operations import follow_requests
from igloo_social.operations.profiles import ProfileEdit, edit_profile


def test_the_sweep_fails_posts_whose_media_have_not_come_in_a_day(app: Flask, session: Session) -> None:
    author, now = make_person(session), utc_now()
    late = make_post(session, author, state="processing", at=now - MEDIA_AWAITED_FOR - timedelta(minutes=1))
    fresh = make_post(session, author, state="processing", at=now - MEDIA_AWAITED_FOR + timedelta(minutes=5))
    session.commit()
    (sweep,) = [job for job in JOBS if job.name == "sweep-stranded-posts"]

    with app.app_context():
        sweep.run()

    states = {row.id: row.state for row in session.execute(select(POSTS))}
    assert states == {late: "failed", fresh: "processing"}


def test_finished_tasks_about_accounts_are_forgotten_after_a_month(app: Flask, session: Session) -> None:
    now = utc_now()
    for days, finished in ((31, True), (29, True), (31, False)):
        at = now - timedelta(days=days)
        session.execute(
            insert(ACCOUNT_TASKS).values(
                id=new_id(),
                kind="erasure",
                account_id=new_id(),
                requested_at=at,
                due_at=None if finished else at,
                finished_at=at if finished else None,
            )
        )
    session.commit()
    (forget,) = [job for job in JOBS if job.name == "forget-finished-tasks"]

    with app.app_context():
        forget.run()

    left = session.execute(select(ACCOUNT_TASKS.c.finished_at)).scalars().all()
    assert len(left) == 2
    assert None in left


def test_the_reports_that_wait_for_a_moderator_are_measured(app: Flask, session: Session) -> None:
    owner, now = make_person(session), utc_now()
    reports = [
        {"created_at": now - timedelta(hours=hours), "resolution": word, "resolved_at": word and now}
        for hours, word in ((30, "dismiss"), (20, None), (10, None))
    ]
    common = {"target_kind": "user", "target_id": owner, "owner_id": owner, "reason": "spam", "snapshot": {}}
    with app.app_context():
        measure_backlog()
        before = REPORTS_OPEN._value.get(), REPORTS_OLDEST._value.get()
        session.execute(insert(REPORTS), [{"id": new_id(), **common, **report} for report in reports])
        session.commit()
        measure_backlog()

    assert before == (0, 0)
    assert REPORTS_OPEN._value.get() == 2
    assert 20 * 3600 <= REPORTS_OLDEST._value.get() < 21 * 3600


def test_an_account_that_many_ask_to_follow_goes_public_at_once_and_accepts_them_in_turn(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_requests, "ACCEPTED_AT_ONCE", 3)
    opening, closed = (make_person(session, is_private=True) for _ in range(2))
    asking = make_people(session, 8)
    for person in asking:
        relate(session, person, "r", opening)
    relate(session, asking[0], "r", closed)
    session.commit()
    (accept,) = [job for job in JOBS if job.name == "accept-waiting-requests"]

    edit = ProfileEdit(is_private=False)
    edit_profile(session, user_id=opening, edit=edit, expected_versions=None, now=utc_now())
    session.commit()
    at_once = edges_of(session, opening)
    with app.app_context():
        accept.run()
        accept.run()

    assert [kind for _, kind, _ in at_once].count("f") == 3
    assert edges_of(session, opening) == {(person, "f", opening) for person in asking}
    assert edges_of(session, closed) == {(asking[0], "r", closed)}
    counts = select(PROFILES.c.follower_count).where(PROFILES.c.user_id == opening)
    assert session.scalar(counts) == 8


def edges_of(session: Session, user_id: UUID) -> set[tuple[UUID, str, UUID]]:
    """Read all edges that lead to a person."""
    session.rollback()
    edge = (RELATIONS.c.from_user, RELATIONS.c.relation_type, RELATIONS.c.to_user)
    return {tuple(row) for row in session.execute(select(*edge).where(RELATIONS.c.to_user == user_id))}

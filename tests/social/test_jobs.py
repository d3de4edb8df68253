from datetime import timedelta

from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from factories.social_people import make_person
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_common.ids import new_id
from igloo_social.jobs.backlog import REPORTS_OLDEST, REPORTS_OPEN, measure_backlog
from igloo_social.jobs.periodic import JOBS, MEDIA_AWAITED_FOR
from igloo_social.models.account_tasks import ACCOUNT_TASKS
from igloo_social.models.posts import POSTS
from igloo_social.models.reports import REPORTS


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

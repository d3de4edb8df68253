from datetime import timedelta

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from factories.social_people import make_person
from factories.social_posts import make_post
from igloo_common.clock import utc_now
from igloo_social.jobs.periodic import JOBS, MEDIA_AWAITED_FOR
from igloo_social.models.posts import POSTS


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

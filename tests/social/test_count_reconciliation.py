import logging

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from factories.social_people import add_noise, make_person, relate
from igloo_social.jobs.periodic import reconcile_counts
from igloo_social.models.profiles import PROFILES
from igloo_social.queries.counts import miscounted_people


def test_counts_that_drifted_are_put_right(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    followed, follower, right = make_person(session), make_person(session), make_person(session)
    add_noise(session, followed, right)
    relate(session, follower, "f", followed)
    session.execute(update(PROFILES).where(PROFILES.c.user_id == followed).values(follower_count=7))
    session.execute(update(PROFILES).where(PROFILES.c.user_id == follower).values(following_count=0))
    session.commit()
    assert set(miscounted_people(session, limit=10)) == {followed, follower}
    session.rollback()

    with app.app_context(), caplog.at_level(logging.ERROR):
        reconcile_counts()

    assert miscounted_people(session, limit=10) == []
    counts = session.execute(
        select(PROFILES.c.follower_count, PROFILES.c.following_count).where(
            PROFILES.c.user_id.in_([followed, follower])
        )
    )
    assert sorted(tuple(row) for row in counts) == [(0, 1), (1, 0)]
    assert "Counts of followers were wrong" in caplog.text


def test_counts_that_agree_are_left_alone(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    add_noise(session, make_person(session))
    session.commit()

    with app.app_context(), caplog.at_level(logging.ERROR):
        reconcile_counts()

    assert caplog.text == ""

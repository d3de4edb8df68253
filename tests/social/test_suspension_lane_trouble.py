"""Suspensions whose worker is killed, or that cannot be made just now."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from factories.environment import service_environ
from factories.polling import wait_until
from factories.social_moderation import (
    miscounted,
    move_all,
    reinstate,
    state_of_everything,
    suspend,
)
from factories.social_people import LONG_AGO, make_people, make_person, relate
from igloo_social.jobs.suspensions import move_next
from igloo_social.models.profiles import PROFILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from sqlalchemy.orm import Session

    from factories.databases import DatabaseUrls

APART = text("SELECT count(*) FROM (SELECT FROM suspended_relations UNION ALL SELECT FROM suspended_likes) a")


def test_one_who_cannot_be_moved_just_now_keeps_nobody_waiting(
    app: Flask, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, other, friend = make_people(session, 3)
    relate(session, friend, "f", stuck)
    session.commit()
    suspend(session, stuck)
    suspend(session, other)
    # The friend's row is held for longer than anybody waits for a lock.
    session.execute(select(PROFILES).where(PROFILES.c.user_id == friend).with_for_update())

    with app.app_context():
        while move_next():
            pass

    session.rollback()
    waiting = session.execute(text("SELECT account_id, attempts FROM account_tasks WHERE due_at IS NOT NULL"))
    assert [tuple(row) for row in waiting] == [(stuck, 1)]
    assert "Setting a person apart, or putting them back, failed and is tried again." in caplog.messages


_WORKER = """
from igloo_social.app import create_app
from igloo_social.jobs.suspensions import move_next
from igloo_social.operations import suspended_relations
suspended_relations.PEOPLE_AT_ONCE = 1
with create_app().app_context():
    while move_next():
        pass
"""


def test_a_suspension_goes_on_after_its_worker_was_killed(
    app: Flask, session: Session, database_urls: Mapping[str, DatabaseUrls]
) -> None:
    person, followers = make_person(session), make_people(session, 200)
    for follower in followers:
        session.execute(
            text("INSERT INTO relations VALUES (:a, :b, 'f', :at)"),
            {"a": follower, "b": person, "at": LONG_AGO},
        )
    session.execute(text("UPDATE profiles SET follower_count = 200 WHERE user_id = :id"), {"id": person})
    session.execute(text("UPDATE profiles SET following_count = 1 WHERE user_id <> :id"), {"id": person})
    session.commit()
    before = state_of_everything(session)
    environ = service_environ("social", database_url=database_urls["social"].service, log_level="ERROR")
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)

    def apart() -> int:
        session.rollback()
        return session.scalar(APART) or 0

    suspend(session, person)
    with subprocess.Popen([sys.executable, "-c", _WORKER], env=environ) as worker:  # noqa: S603 - ours
        wait_until(lambda: apart() >= 50, "the worker had begun")
        worker.kill()
    assert apart() < 200, "the worker was killed before it could finish"
    assert miscounted(session) == []
    move_all(app)
    assert apart() == 200
    reinstate(session, person)
    move_all(app)

    assert state_of_everything(session) == before

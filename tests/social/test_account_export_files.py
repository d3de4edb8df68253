"""How the files of a copy are written: as of one moment, in little memory, for people to read."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import text

from factories.environment import service_environ
from factories.social_people import LONG_AGO, make_people, make_person, relate
from factories.social_posts import like, make_post
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_social.jobs.exports import write_sections
from igloo_social.operations.account_tasks import Task
from igloo_social.queries.exports import hold_snapshot, section_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flask import Flask
    from sqlalchemy.orm import Session

    from factories.databases import DatabaseUrls


def test_all_of_a_copy_is_as_of_one_moment(app: Flask, session: Session) -> None:
    person, follower = make_people(session, 2)
    session.commit()

    with app.app_context(), transaction() as reading:
        hold_snapshot(reading)
        before = list(section_rows(reading, "profile", person))
        relate(session, follower, "f", person)
        session.commit()
        followers = list(section_rows(reading, "followers", person))

    assert (before[0]["follower_count"], followers) == (0, [])


def test_a_busy_persons_copy_does_not_have_to_fit_into_memory(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    person, author = make_people(session, 2)
    rows = 30_000
    post_id = make_post(session, author)
    session.execute(
        text(
            "INSERT INTO notifications SELECT gen_random_uuid(), :person, 'like', :author, gen_random_uuid(),"
            " now() - n * interval '1 second' FROM generate_series(1, :rows) AS n"
        ),
        {"person": person, "author": author, "rows": rows},
    )
    like(session, person, post_id)
    session.commit()
    task = Task(id=new_id(), kind="export", account_id=person, parts_prefix="exports/x/parts/", attempts=0)

    with app.app_context():
        tracemalloc.start()
        files = write_sections(task, tmp_path)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    (notifications,) = [file for file in files if file.name == "notifications.json"]
    assert len(orjson.loads(notifications.read_bytes())) == rows
    assert notifications.stat().st_size > 5_000_000
    assert peak_bytes < 4_000_000


def test_the_rows_that_are_not_read_yet_stay_in_the_database(app: Flask, session: Session) -> None:
    person = make_person(session)
    session.commit()

    with (
        app.app_context(),
        transaction() as reading,
        closing(section_rows(reading, "profile", person)) as rows,
    ):
        next(rows)
        (cursor,) = reading.execute(text("SELECT statement FROM pg_cursors")).scalars()

    assert "FROM profiles" in cursor


def test_an_empty_section_is_an_empty_list_that_people_can_read(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    person, followee = make_people(session, 2)
    relate(session, person, "f", followee, at=LONG_AGO + timedelta(days=1))
    session.commit()
    task = Task(id=new_id(), kind="export", account_id=person, parts_prefix="exports/x/parts/", attempts=0)

    with app.app_context():
        write_sections(task, tmp_path)

    assert (tmp_path / "mutes.json").read_text() == "[\n]\n"
    assert len((tmp_path / "following.json").read_text().splitlines()) == 3


def test_the_web_process_carries_no_boto3(database_urls: Mapping[str, DatabaseUrls]) -> None:
    environ = service_environ("social", database_url=database_urls["social"].service)
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    program = "import sys, igloo_social.wsgi; print({'boto3', 'botocore'} & set(sys.modules))"

    said = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True, timeout=60
    )

    assert said.stdout.splitlines()[-1] == "set()"

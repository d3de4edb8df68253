"""Copies of everything held about a person, put into S3."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tracemalloc
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import text

from factories.environment import service_environ
from factories.social_accounts import Life, delete_account
from factories.social_events import emitted
from factories.social_people import LONG_AGO, make_people, make_person, relate
from factories.social_posts import add_post_noise, deliver, like, make_post
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_common.object_store import ObjectMissing, ObjectStore, StorageSettings
from igloo_local.parts.seaweed import Seaweed
from igloo_social.jobs.backlog import OLDEST, WAITING, measure_tasks
from igloo_social.jobs.exports import ExportLane, write_sections
from igloo_social.operations.account_tasks import EXPORT_LEASE, Task, claim_due_export
from igloo_social.queries.export_sections import SECTIONS
from igloo_social.queries.exports import hold_snapshot, section_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from uuid import UUID

    from flask import Flask
    from sqlalchemy.orm import Session

    from factories.databases import DatabaseUrls
    from igloo_social.settings import Settings


@pytest.fixture(scope="session")
def storage_settings(
    settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StorageSettings]:
    """Start S3, with the bucket in it."""
    with Seaweed(tmp_path_factory.mktemp("s3")) as server:
        key_id, secret = server.credentials
        found = replace(settings.storage, endpoint=server.url, access_key_id=key_id, secret_access_key=secret)
        ObjectStore(found).inside.create_bucket(Bucket=found.bucket)
        yield found


@pytest.fixture(scope="session")
def store(storage_settings: StorageSettings) -> ObjectStore:
    """Give the bucket."""
    return ObjectStore(storage_settings)


def request_copy(session: Session, account_id: UUID, *, export_id: UUID | None = None) -> str:
    """Deliver `auth.export.requested.v1`, commit, and return the prefix of the parts."""
    export_id = export_id or new_id()
    prefix = f"exports/{export_id}/parts/"
    deliver(
        session,
        "auth.export.requested.v1",
        now=utc_now(),
        export_id=export_id,
        account_id=account_id,
        parts_prefix=prefix,
    )
    session.commit()
    return prefix


def collect(app: Flask, store: ObjectStore) -> int:
    """Run the lane until nothing is due, and return how many copies it made or tried to."""
    lane, steps = ExportLane(store), 0
    with app.app_context():
        while lane.step():
            steps += 1
    return steps


def copy_in(store: ObjectStore, prefix: str) -> dict[str, Any]:
    """Read all files of a copy, by name."""
    keys = [entry.key for entry in store.listing(prefix)]
    return {key.removeprefix(prefix): orjson.loads(b"".join(store.chunks(key))) for key in keys}


def test_a_copy_holds_everything_of_the_person_and_nothing_of_others(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    add_post_noise(session)
    life = Life(session)
    prefix = request_copy(session, life.person)

    collect(app, store)

    copy = copy_in(store, prefix)
    assert set(copy) == {f"social/{name}.json" for name in SECTIONS}
    first, second, third, fourth, fifth, sixth = (str(other) for other in life.others)

    def ids(name: str) -> set[str]:
        return {row["user_id"] for row in copy[f"social/{name}.json"]}

    (profile,) = copy["social/profile.json"]
    assert (profile["user_id"], profile["username"]) == (str(life.person), "snow.hare")
    assert profile["bio"] == "White in winter"
    assert profile["notifications_read_until"] == "2025-01-02T03:04:05.678901Z"
    assert ids("following") == {first, second}
    assert ids("followers") == {first, second, third, fourth}
    assert ids("follow_requests_sent") == {third}
    assert ids("follow_requests_received") == {fifth}
    assert ids("blocks") == {sixth}
    assert ids("mutes") == set()
    assert ids("facebook_friends") == {second, third, fourth}
    assert [row["id"] for row in copy["social/devices.json"]] == [str(life.devices[0])]
    assert all(row["username"].startswith("p_") for row in copy["social/followers.json"])
    assert {row["actor_id"] for row in copy["social/notifications.json"]} == {first, second, third}
    assert {row["post_id"] for row in copy["social/likes.json"]} == {
        str(post_id) for post_id in (*life.others_posts, life.posts[0])
    }


def test_posts_come_with_their_photos_and_their_times_the_deleted_too(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    life = Life(session)
    prefix = request_copy(session, life.person)

    collect(app, store)

    posts = {post["caption"]: post for post in copy_in(store, prefix)["social/posts.json"]}
    assert set(posts) == {"Snow 0", "Snow 1", "Snow 2", "Snow", "Gone"}
    assert posts["Gone"]["deleted_at"] is not None
    media_id = session.scalar(
        text("SELECT media_id FROM post_images WHERE post_id = :post"), {"post": life.posts[0]}
    )
    assert posts["Snow 0"]["images"] == [{"media_id": str(media_id), "alt_text": "A white hare"}]
    assert posts["Snow 0"]["like_count"] == 4
    assert (posts["Snow 0"]["visibility"], posts["Snow"]["images"]) == ("public", [])


def test_who_blocks_the_person_is_in_no_file(app: Flask, session: Session, store: ObjectStore) -> None:
    person, blocker = make_people(session, 2)
    relate(session, person, "b", blocker)
    relate(session, person, "m", blocker)
    deliver(session, "auth.friends.found.v1", account_id=person, friend_ids=[blocker], found_at=LONG_AGO)
    relate(session, blocker, "b", person)
    session.execute(
        text("INSERT INTO notifications VALUES (:id, :person, 'follow', :blocker, NULL, now())"),
        {"id": new_id(), "person": person, "blocker": blocker},
    )
    prefix = request_copy(session, person)

    collect(app, store)

    assert str(blocker) not in str(copy_in(store, prefix))


def test_a_copy_is_told_of_once_it_lies_in_s3_and_once_only(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    person, export_id = make_person(session), new_id()
    request_copy(session, person, export_id=export_id)
    request_copy(session, person, export_id=export_id)

    assert collect(app, store) == 1
    request_copy(session, person, export_id=export_id)
    assert collect(app, store) == 0

    (event,) = emitted(session, "social.export.collected.v1")
    assert (event["export_id"], event["account_id"]) == (str(export_id), str(person))


def test_of_the_deleted_there_is_nothing_to_collect_and_that_is_said(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    person, stranger = make_person(session), new_id()
    delete_account(session, person)
    prefixes = [request_copy(session, account_id) for account_id in (person, stranger)]

    collect(app, store)

    assert [copy_in(store, prefix) for prefix in prefixes] == [{}, {}]
    assert len(emitted(session, "social.export.collected.v1")) == 2


def test_a_copy_waits_while_s3_is_away_and_is_made_when_it_is_back(
    app: Flask, session: Session, settings: Settings, store: ObjectStore, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = ObjectStore(settings.storage)
    prefix = request_copy(session, make_person(session))

    with caplog.at_level(logging.WARNING):
        assert collect(app, nowhere) == 1
    task = session.execute(text("SELECT due_at, attempts, finished_at FROM account_tasks")).one()
    assert (task.attempts, task.finished_at) == (1, None)
    assert task.due_at < utc_now() + EXPORT_LEASE / 2
    assert "A copy waits for S3." in caplog.messages
    with app.app_context():
        assert measure_tasks() is False
    assert (WAITING.labels("export")._value.get(), WAITING.labels("erasure")._value.get()) == (1, 0)
    assert OLDEST.labels("export")._value.get() > 0

    session.execute(text("UPDATE account_tasks SET due_at = now()"))
    session.commit()
    assert collect(app, store) == 1
    assert "social/profile.json" in copy_in(store, prefix)
    assert len(emitted(session, "social.export.collected.v1")) == 1


def test_a_copy_whose_worker_died_is_made_by_another_after_the_lease(
    app: Flask, session: Session, store: ObjectStore
) -> None:
    prefix = request_copy(session, make_person(session))
    assert claim_due_export(session, now=utc_now())
    session.commit()
    assert collect(app, store) == 0

    session.execute(text("UPDATE account_tasks SET due_at = due_at - :lease"), {"lease": EXPORT_LEASE})
    session.commit()

    assert collect(app, store) == 1
    assert "social/profile.json" in copy_in(store, prefix)


def test_who_is_deleted_while_the_copy_is_made_leaves_none(
    app: Flask, session: Session, storage_settings: StorageSettings
) -> None:
    person = make_person(session)
    prefix = request_copy(session, person)

    class SlowStore(ObjectStore):
        def put_file(self, key: str, path: Path, *, content_type: str) -> None:
            super().put_file(key, path, content_type=content_type)
            if key.endswith("profile.json"):
                delete_account(session, person)

    collect(app, SlowStore(storage_settings))

    store = ObjectStore(storage_settings)
    assert copy_in(store, prefix) == {}
    with pytest.raises(ObjectMissing):
        next(store.chunks(f"{prefix}social/profile.json"))


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

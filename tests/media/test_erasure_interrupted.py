"""Erasing while others are at work, and while everything dies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from factories import photos
from factories.locks import wait_for_a_waiter
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_media.jobs import erasure
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.account_tasks import (
    ask_whether_deleted,
    go_on_later,
    request_erasure,
    take_task,
)
from igloo_media.operations.erasures import finish_erasure
from igloo_media.operations.processing import Claim, claim_next
from igloo_media.policies.objects import originals_prefix, rendition_key
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import (
    DyingStorage,
    Fuse,
    Killed,
    ask_for_export,
    deaths,
    fill,
    leave,
    make_due,
    objects_of,
    rows_of,
    tasks,
    work,
)
from media.conftest import Person, events, item, let_time_pass

PHOTO = photos.jpeg(64, 48)
ERASED = "media.account.erased.v1"


def claimed() -> Claim:
    with transaction() as session:
        claim = claim_next(session, now=utc_now())
    assert claim is not None
    return claim


def test_the_pauses_of_an_outage_grow(ana: Person, settings: Settings) -> None:
    away = AccountTaskLane(Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")))
    leave(ana.id)

    pauses = []
    for _ in range(6):
        make_due()
        before = utc_now()
        assert away.step()
        pauses.append(tasks()[0].due_at - before)

    assert pauses[0] < timedelta(seconds=20)
    assert pauses[-1] > timedelta(seconds=30)
    assert tasks()[0].attempts == 6


def test_an_upload_asked_for_at_this_moment_is_erased_as_well(
    app: Flask, ana: Person, account_lane: AccountTaskLane
) -> None:
    def erase() -> None:
        with app.app_context():
            leave(ana.id)

    with ThreadPoolExecutor() as threads, transaction() as session:
        # As `request_uploads` begins.
        assert not ask_whether_deleted(session, ana.id).rows()
        effort = threads.submit(erase)
        wait_for_a_waiter(session, effort)
        assert not effort.done(), "the erasure waits for the request"
        session.execute(
            text(
                "INSERT INTO media_items (id, owner_id, state, content_type, size_bytes, created_at,"
                " expires_at, due_at) VALUES (:id, :owner, 'pending', 'image/jpeg', 5, now(), now(), now())"
            ),
            {"id": new_id(), "owner": ana.id},
        )
    effort.result(timeout=10)
    assert rows_of(ana.id) == 1
    work(account_lane)

    assert rows_of(ana.id) == 0
    assert events(ERASED)[0]["removed"][0]["count"] == 1


def test_an_upload_asked_for_while_the_account_is_being_deleted_is_refused(app: Flask, ana: Person) -> None:
    def ask() -> Any:  # noqa: ANN401 - Werkzeug's TestResponse
        file = {"content_type": "image/jpeg", "size_bytes": 5}
        return ana.call("POST", "/v1/uploads", json={"files": [file]})

    with ThreadPoolExecutor() as threads, transaction() as session:
        request_erasure(session, deletion_id=new_id(), account_id=ana.id, now=utc_now())
        session.flush()
        effort = threads.submit(ask)
        wait_for_a_waiter(session, effort)
        assert not effort.done(), "the request waits for the erasure's task"
    answer = effort.result(timeout=10)

    assert (answer.status_code, answer.get_json()["code"]) == (410, "account_deleted")
    assert rows_of(ana.id) == 0


def test_a_photo_in_process_is_waited_for_and_leaves_nothing(
    ana: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane
) -> None:
    (media_id,) = ana.upload(PHOTO)
    claim = claimed()

    leave(ana.id)
    work(account_lane)
    assert events(ERASED) == [], "its worker may be writing at this moment"
    lane.finish(claim)
    assert item(media_id).claim_id is None, "the worker has let go"
    make_due()
    work(account_lane)

    assert len(events(ERASED)) == 1
    assert rows_of(ana.id) == 0
    assert objects_of(storage, ana.id, [media_id]) == []
    remove_objects(storage)
    assert objects_of(storage, ana.id, [media_id]) == []


def test_a_worker_that_died_over_a_photo_is_waited_for_until_its_lease_ends(
    ana: Person, storage: Storage, account_lane: AccountTaskLane
) -> None:
    (media_id,) = ana.upload(PHOTO)
    claimed()
    leave(ana.id)
    work(account_lane)
    # Its last words.
    storage.put(rendition_key(media_id, "feed"), b"half a photo", content_type="image/webp")
    make_due()
    work(account_lane)
    assert events(ERASED) == []

    let_time_pass(hours=0.1)
    make_due()
    work(account_lane)

    assert len(events(ERASED)) == 1
    assert objects_of(storage, ana.id, [media_id]) == []


@pytest.mark.parametrize("outcome", ["rejected", "outage"])
def test_a_worker_lets_go_however_it_ends(
    ana: Person, lane: PhotoLane, settings: Settings, outcome: str
) -> None:
    (media_id,) = ana.upload(photos.BROKEN_JPEG)
    claim = claimed()
    ana.call("DELETE", f"/v1/media/{media_id}")
    assert item(media_id).claim_id == claim.claim_id
    if outcome == "outage":
        lane.storage = Storage(replace(settings.storage, endpoint="http://127.0.0.1:9"))

    lane.finish(claim)

    row = item(media_id)
    assert (row.state, row.claim_id, row.due_at) == ("deleted", None, None)


def test_nothing_is_said_while_a_listing_still_shows_something(
    ana: Person, storage: Storage, settings: Settings, account_lane: AccountTaskLane
) -> None:
    class KeepingStorage(Storage):
        """S3 that says it has removed, and has not."""

        removals = 0

        def remove(self, keys: Any) -> None:  # noqa: ANN401 - as the method that it stands for
            self.removals += 1
            if self.removals > 3:
                raise Killed

    media_ids = fill(storage, ana.id, 2)
    leave(ana.id)

    with pytest.raises(Killed):
        work(AccountTaskLane(KeepingStorage(settings.storage)))

    assert len(objects_of(storage, ana.id, media_ids)) == 6
    assert (rows_of(ana.id), events(ERASED)) == (2, [])
    make_due()
    work(account_lane)
    assert len(events(ERASED)) == 1


def test_a_worker_killed_at_any_call_of_s3_leaves_work_that_ends_the_same(
    ana: Person,
    storage: Storage,
    settings: Settings,
    account_lane: AccountTaskLane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasure, "CLEARED_AT_ONCE", 2)
    others = fill(storage, ana.id, 1)
    ends = 0
    for fuse in deaths():
        leaver = new_id()
        media_ids = fill(storage, leaver, 3)
        storage.put(f"{originals_prefix(leaver)}{media_ids[0]}", b"x", content_type="image/jpeg")
        leave(leaver)
        _work_until_killed(settings, fuse)
        finished = [task.finished_at is not None for task in tasks()]
        assert finished.count(True) == len(events(ERASED)), "said exactly when it is so"
        make_due()
        work(account_lane)

        ends += 1
        assert rows_of(leaver) == 0
        assert objects_of(storage, leaver, media_ids) == []
        assert len(events(ERASED)) == ends
        assert [each["count"] for each in events(ERASED)[-1]["removed"]] == [3, 9]
    assert ends > 10
    assert len(objects_of(storage, ana.id, others)) == 3


def _work_until_killed(settings: Settings, fuse: Fuse) -> None:
    try:
        work(AccountTaskLane(DyingStorage(settings.storage, fuse)))
    except Killed:
        assert fuse.burnt


def test_a_lease_keeps_a_second_worker_away_until_it_ends(ana: Person, account_lane: AccountTaskLane) -> None:
    leave(ana.id)
    with transaction() as session:
        assert take_task(session, now=utc_now()) is not None

    assert not account_lane.step(), "the first worker is at it"
    with transaction() as session:
        taken_over = take_task(session, now=utc_now() + timedelta(minutes=2))

    assert taken_over is not None
    assert taken_over.attempts == 2


def test_two_workers_at_the_end_of_an_erasure_say_it_once(ana: Person) -> None:
    leave(ana.id)
    with transaction() as session:
        first = take_task(session, now=utc_now())
        second = take_task(session, now=utc_now() + timedelta(minutes=2))
    assert first is not None
    assert second is not None

    said = []
    for task in (first, second):
        with transaction() as session:
            said.append(finish_erasure(session, task, now=utc_now()))
            # The slower one puts its turn back as well, which is not its own any more.
            go_on_later(session, first, due_at=utc_now())

    assert said == [True, False]
    assert len(events(ERASED)) == 1
    assert tasks()[0].due_at is None


def test_an_export_that_s3_held_up_holds_no_erasure_up(
    ana: Person, settings: Settings, account_lane: AccountTaskLane
) -> None:
    away = AccountTaskLane(Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")))
    ask_for_export(ana.id)
    for _ in range(8):
        make_due()
        away.step()
    (export,) = tasks()
    assert export.due_at > utc_now() + timedelta(seconds=90), "its pauses have grown"

    leave(ana.id)

    assert all(task.due_at <= utc_now() + timedelta(seconds=60) for task in tasks())
    for _ in range(2):
        make_due()
        work(account_lane)
    assert [task.kind for task in tasks()] == ["erasure"]
    assert len(events(ERASED)) == 1


def test_an_item_that_comes_up_at_the_end_is_not_passed_over(ana: Person, storage: Storage) -> None:
    leave(ana.id)
    with transaction() as session:
        task = take_task(session, now=utc_now())
    assert task is not None
    fill(storage, ana.id, 1)

    with transaction() as session:
        assert not finish_erasure(session, task, now=utc_now())

    assert tasks()[0].finished_at is None
    assert events(ERASED) == []

"""A person's copy of their photos: complete, readable, and made whatever dies on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import text

from factories import photos
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.ids import new_id
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import collect_items
from igloo_media.jobs.processing import PhotoLane
from igloo_media.operations.account_tasks import take_task
from igloo_media.operations.exports import finish_export
from igloo_media.policies.objects import rendition_key
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
    tasks,
    work,
)
from media.conftest import Person, change, events, item, run

PHOTO = photos.jpeg(64, 48)
FILE = {"content_type": "image/jpeg", "size_bytes": len(PHOTO)}
COLLECTED = "media.export.collected.v1"


def content_of(storage: Storage, key: str) -> bytes:
    return b"".join(storage.chunks(key))


def document(storage: Storage, part: str) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads(content_of(storage, f"{part}items.json"))
    return read


def items_of(storage: Storage, part: str) -> Mapping[UUID, dict[str, Any]]:
    """Read the document's items, by id; each is there once."""
    items = document(storage, part)["items"]
    by_id = {UUID(each["id"]): each for each in items}
    assert len(by_id) == len(items)
    return by_id


def files_of(storage: Storage, part: str) -> list[str]:
    return [found.key.removeprefix(part) for found in storage.listing(part)]


def test_everything_that_is_held_is_in_the_copy_and_nothing_of_others(
    ana: Person, ben: Person, lane: PhotoLane, storage: Storage, account_lane: AccountTaskLane
) -> None:
    ready, failed = ana.upload(PHOTO, photos.BROKEN_JPEG, alt_text="Two eiders, “at rest”")
    run(lane)
    post_id = new_id()
    change(ready, post_id=post_id)
    (gone,) = ana.upload(photos.jpeg(64, 48, seed=2))
    ana.call("DELETE", f"/v1/media/{gone}")
    (waiting,) = ana.upload(photos.jpeg(64, 48, seed=3), client_id="phone-7")
    change(waiting, sha256=bytes.fromhex("ab" * 32))
    fill(storage, ben.id, 2)

    part = ask_for_export(ana.id)
    work(account_lane)

    assert files_of(storage, part) == ["items.json", f"photos/{ready}.webp"]
    full = content_of(storage, rendition_key(ready, "full"))
    assert content_of(storage, f"{part}photos/{ready}.webp") == full
    items = items_of(storage, part)
    assert set(items) == {ready, failed, gone, waiting}
    shown, row = items[ready], item(ready)
    assert (shown["state"], shown["content_type"], shown["size_bytes"]) == ("ready", "image/jpeg", len(PHOTO))
    assert (shown["alt_text"], shown["post_id"]) == ("Two eiders, “at rest”", str(post_id))
    assert (shown["width"], shown["height"]) == (64, 48)
    assert shown["renditions"]["full"] == {
        "width": 64,
        "height": 48,
        "content_type": "image/webp",
        "size_bytes": len(full),
        "is_animated": False,
    }
    assert datetime.fromisoformat(shown["created_at"]) == row.created_at
    assert (shown["photo"], shown["photo_missing"]) == (f"photos/{ready}.webp", False)
    assert (items[failed]["failure_code"], items[failed]["photo"]) == ("unreadable_image", None)
    assert (items[gone]["state"], items[gone]["photo_missing"]) == ("deleted", False)
    assert (items[waiting]["state"], items[waiting]["client_id"]) == ("processing", "phone-7")
    assert items[waiting]["sha256"] == "ab" * 32
    assert document(storage, part)["account_id"] == str(ana.id)


def test_a_person_can_read_the_document(ana: Person, storage: Storage, account_lane: AccountTaskLane) -> None:
    fill(storage, ana.id, 2)
    part = ask_for_export(ana.id)
    work(account_lane)

    read = content_of(storage, f"{part}items.json").decode("utf-8")

    assert '\n  "alt_text": "A ptarmigan in the snow",\n' in read
    head = storage.inside.head_object(Bucket=storage.bucket, Key=f"{part}items.json")
    assert head["ContentType"] == "application/json"


def test_it_is_announced_once(ana: Person, storage: Storage, account_lane: AccountTaskLane) -> None:
    fill(storage, ana.id, 1)
    part = ask_for_export(ana.id)
    work(account_lane)
    work(account_lane)

    (collected,) = events(COLLECTED)
    assert f"exports/{collected['export_id']}/parts/media/" == part
    assert collected["account_id"] == str(ana.id)
    (task,) = tasks()
    assert (task.due_at, task.finished_at is not None) == (None, True)


def test_somebody_without_photos_gets_an_empty_document(
    ana: Person, storage: Storage, account_lane: AccountTaskLane
) -> None:
    part = ask_for_export(ana.id)
    work(account_lane)

    assert files_of(storage, part) == ["items.json"]
    assert document(storage, part)["items"] == []
    assert len(events(COLLECTED)) == 1


def test_many_photos_are_copied_in_batches_and_in_turns(
    ana: Person,
    ben: Person,
    storage: Storage,
    account_lane: AccountTaskLane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igloo_media.jobs.export.COPIED_AT_ONCE", 3)
    monkeypatch.setattr("igloo_media.jobs.items_document.READ_AT_ONCE", 4)
    media_ids = fill(storage, ana.id, 12)
    long = ask_for_export(ana.id)
    short = ask_for_export(ben.id)

    for _ in range(3):
        assert account_lane.step()
    assert files_of(storage, short) == ["items.json"], "a short one need not wait for a long one"
    assert "items.json" not in files_of(storage, long)
    work(account_lane)

    assert list(items_of(storage, long)) == sorted(media_ids)
    assert files_of(storage, long)[1:] == [f"photos/{each}.webp" for each in sorted(media_ids)]


def test_a_turn_ends_in_time_and_comes_further_each_time(
    ana: Person, storage: Storage, account_lane: AccountTaskLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("igloo_media.jobs.account_tasks.UNIT_SECONDS", 0.0)
    fill(storage, ana.id, 4)
    part = ask_for_export(ana.id)

    copied = []
    for _ in range(4):
        account_lane.step()
        copied.append(len(files_of(storage, part)))

    assert copied == [1, 2, 3, 4]
    work(account_lane)
    assert len(events(COLLECTED)) == 1


def test_a_photo_that_vanished_is_skipped_and_noted(
    ana: Person, storage: Storage, account_lane: AccountTaskLane
) -> None:
    first, lost, last = fill(storage, ana.id, 3)
    storage.remove([rendition_key(lost, "full")])

    part = ask_for_export(ana.id)
    work(account_lane)

    items = items_of(storage, part)
    assert [items[each]["photo_missing"] for each in (first, lost, last)] == [False, True, False]
    assert items[lost]["photo"] is None
    assert files_of(storage, part) == ["items.json", f"photos/{first}.webp", f"photos/{last}.webp"]
    assert len(events(COLLECTED)) == 1


def test_a_photo_that_became_ready_meanwhile_is_in_it(
    ana: Person,
    storage: Storage,
    account_lane: AccountTaskLane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igloo_media.jobs.export.COPIED_AT_ONCE", 2)
    early, *_ = fill(storage, ana.id, 3)
    change(early, state="failed", failure_code="not-yet")
    part = ask_for_export(ana.id)
    account_lane.step()
    change(early, state="ready", failure_code=None)

    work(account_lane)

    assert items_of(storage, part)[early]["photo"] == f"photos/{early}.webp"
    assert f"photos/{early}.webp" in files_of(storage, part)


def test_with_s3_away_it_is_tried_again_where_it_was(
    ana: Person,
    storage: Storage,
    settings: Settings,
    account_lane: AccountTaskLane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igloo_media.jobs.export.COPIED_AT_ONCE", 2)
    media_ids = fill(storage, ana.id, 4)
    part = ask_for_export(ana.id)
    account_lane.step()
    away = AccountTaskLane(Storage(replace(settings.storage, endpoint="http://127.0.0.1:9")))

    assert away.step()

    (task,) = tasks()
    assert (task.done_to, task.attempts) == (sorted(media_ids)[1], 1)
    assert task.due_at > utc_now()
    assert not away.step()
    make_due()
    work(account_lane)
    assert len(files_of(storage, part)) == 5
    assert len(events(COLLECTED)) == 1


def test_a_worker_killed_at_any_call_of_s3_leaves_work_that_ends_the_same(
    ana: Person,
    storage: Storage,
    settings: Settings,
    account_lane: AccountTaskLane,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("igloo_media.jobs.export.COPIED_AT_ONCE", 2)
    media_ids = fill(storage, ana.id, 4)
    ends = 0
    for fuse in deaths():
        part = ask_for_export(ana.id)
        _work_until_killed(settings, fuse)
        finished = [task.finished_at is not None for task in tasks()]
        assert finished.count(True) == len(events(COLLECTED)), "said exactly when it is so"
        make_due()
        work(account_lane)

        ends += 1
        assert list(items_of(storage, part)) == sorted(media_ids)
        assert len(files_of(storage, part)) == 5
        assert len(events(COLLECTED)) == ends
    assert ends > 10


def test_two_workers_at_the_end_of_an_export_say_it_once(ana: Person) -> None:
    ask_for_export(ana.id)
    with transaction() as session:
        first = take_task(session, now=utc_now())
        second = take_task(session, now=utc_now() + timedelta(minutes=2))
    assert first is not None
    assert second is not None

    for task in (first, second):
        with transaction() as session:
            finish_export(session, task, now=utc_now())

    assert len(events(COLLECTED)) == 1


def _work_until_killed(settings: Settings, fuse: Fuse) -> None:
    try:
        work(AccountTaskLane(DyingStorage(settings.storage, fuse)))
    except Killed:
        assert fuse.burnt


def test_tasks_of_exports_are_forgotten_after_two_weeks_and_those_of_erasures_never(
    ana: Person, ben: Person, account_lane: AccountTaskLane
) -> None:
    ask_for_export(ana.id)
    leave(ben.id)
    work(account_lane)
    with transaction() as session:
        session.execute(text("UPDATE account_tasks SET finished_at = finished_at - interval '15 days'"))
    ask_for_export(ana.id)

    collect_items()

    assert sorted((task.kind, task.finished_at is None) for task in tasks()) == [
        ("erasure", False),
        ("export", True),
    ]
    assert ben.call("POST", "/v1/uploads", json={"files": [FILE]}).status_code == 410

"""`flask storage reconcile`: the bucket held against the rows of photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest
from click.testing import Result
from flask import Flask

from factories import photos
from igloo_common.backup_lock import BACKUP_LOCK
from igloo_common.ids import new_id
from igloo_media.jobs.account_tasks import AccountTaskLane
from igloo_media.jobs.collector import remove_objects
from igloo_media.jobs.processing import PhotoLane
from igloo_media.policies.objects import original_key, rendition_key
from igloo_media.queries import stored_photos
from igloo_media.reconciliation import BucketEmpty, reconcile
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import fill, leave, make_due, objects_of, tasks, work
from media.conftest import Person, change, events, item, let_time_pass, run, send

Command = Callable[..., Result]
NAMES = ("thumb", "feed", "full")


@pytest.fixture
def command(app: Flask, storage: Storage) -> Command:
    """Run the command on a bucket that holds nothing of other tests."""
    storage.remove_below("renditions/")
    storage.remove_below("originals/")
    return lambda *words: app.test_cli_runner().invoke(args=["storage", "reconcile", *words])


def shown(result: Result) -> tuple[int, list[str]]:
    return result.exit_code, result.output.splitlines()


def test_where_all_is_well_nothing_is_reported(
    command: Command, ana: Person, ben: Person, lane: PhotoLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_photos, "PAGE", 2)
    ana.upload(*(photos.jpeg(32, 24, seed=seed) for seed in range(5)))
    run(lane)
    (waiting,) = ben.upload(photos.jpeg(32, 24, seed=9))
    let_time_pass(hours=2)

    assert shown(command("--dry-run")) == (
        0,
        ["5 photos, 0 with files missing (0 given up); 0 stray objects"],
    )
    assert item(waiting).state == "uploaded"


def test_a_photo_with_a_file_missing_fails_and_whoever_shows_it_is_told(
    command: Command, ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    lost, whole = ana.upload(photos.jpeg(32, 24, seed=1), photos.jpeg(32, 24, seed=2))
    run(lane)
    change(lost, post_id=new_id())
    storage.remove([rendition_key(lost, "feed")])
    line = f"missing  {rendition_key(lost, 'feed')}"

    assert shown(command("--dry-run")) == (
        1,
        [line, "2 photos, 1 with files missing (0 given up); 0 stray objects"],
    )
    assert item(lost).state == "ready"
    said = shown(command())
    let_time_pass(hours=0.1)
    remove_objects(storage)

    summary = "2 photos, 1 with files missing (1 given up); 0 stray objects to be removed in a day"
    assert said == (0, [line, summary])
    (failed,) = events("media.item.failed.v1")
    assert (failed["media_id"], failed["code"]) == (str(lost), "media_lost")
    assert ana.media(lost)["failure"]["code"] == "media_lost"
    assert (item(lost).post_id, item(whole).state) == (None, "ready")
    assert ana.call("GET", "/v1/media/usage").get_json()["photos"] == 1
    assert [storage.size_of(rendition_key(lost, name)) for name in NAMES] == [None] * 3
    assert all(storage.size_of(rendition_key(whole, name)) for name in NAMES)
    assert shown(command("--dry-run"))[0] == 0


def test_what_belongs_to_no_photo_goes_after_a_day(
    command: Command, ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    (kept,) = ana.upload(photos.jpeg(32, 24))
    run(lane)
    strays = sorted(
        [original_key(ana.id, new_id()), rendition_key(new_id(), "full"), "renditions/notes/about.txt"]
    )
    strays.append(rendition_key(kept, "thumb", 7))
    for key in strays:
        storage.put(key, b"nobody's", content_type="image/webp")

    status, said = shown(command("--dry-run"))
    assert (status, sorted(said[:-1])) == (1, sorted(f"stray    {key}" for key in strays))
    let_time_pass(hours=25)
    remove_objects(storage)
    assert all(storage.size_of(key) for key in strays), "it has only looked"

    assert command().exit_code == 0
    assert shown(command("--dry-run"))[0] == 0, "what is on its way out is no news"
    let_time_pass(hours=23)
    remove_objects(storage)
    assert all(storage.size_of(key) for key in strays), "a day is not over"
    let_time_pass(hours=2)
    remove_objects(storage)

    assert [storage.size_of(key) for key in strays] == [None] * 4
    assert all(storage.size_of(rendition_key(kept, name)) for name in NAMES)


def test_an_upload_under_way_and_a_thumbnail_being_cut_are_nobodys_strays(
    command: Command, ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    (ready,) = ana.upload(photos.jpeg(32, 24))
    run(lane)
    change(ready, thumb_version=2)
    storage.put(rendition_key(ready, "thumb", 2), b"cut anew", content_type="image/webp")
    (pending,) = ana.ask(photos.jpeg(32, 24, seed=2))
    send(pending["target"], photos.jpeg(32, 24, seed=2))

    assert shown(command("--dry-run")) == (
        0,
        ["1 photos, 0 with files missing (0 given up); 0 stray objects"],
    )


def test_the_wrong_bucket_costs_nobody_a_photo(
    command: Command, ana: Person, lane: PhotoLane, storage: Storage, settings: Settings
) -> None:
    (photo,) = ana.upload(photos.jpeg(32, 24))
    run(lane)
    wrong = Storage(replace(settings.storage, bucket="another-bucket"))
    wrong.prepare()

    with pytest.raises(BucketEmpty):
        reconcile(wrong, only_looks=False, report=lambda *_: None)
    assert item(photo).state == "ready"

    storage.remove_below("renditions/")
    said = command()
    assert (said.exit_code, item(photo).state) == (1, "ready")
    assert "is it the right one?" in said.output


def test_nothing_is_removed_while_a_backup_is_taken(
    ana: Person, lane: PhotoLane, storage: Storage, settings: Settings
) -> None:
    (photo,) = ana.upload(photos.jpeg(32, 24))
    run(lane)
    original = original_key(ana.id, photo)
    let_time_pass(hours=2)
    url = settings.common.database_url.replace("postgresql+psycopg:", "postgresql:", 1)

    with psycopg.connect(url, autocommit=True) as backup:
        backup.execute("SELECT pg_advisory_lock(%s)", [BACKUP_LOCK])
        remove_objects(storage)
        assert storage.size_of(original)
    remove_objects(storage)

    assert storage.size_of(original) is None


def test_nobody_is_erased_from_the_bucket_while_a_backup_is_taken(
    ana: Person, account_lane: AccountTaskLane, storage: Storage, settings: Settings
) -> None:
    held = fill(storage, ana.id, 2)
    url = settings.common.database_url.replace("postgresql+psycopg:", "postgresql:", 1)

    with psycopg.connect(url, autocommit=True) as backup:
        backup.execute("SELECT pg_advisory_lock(%s)", [BACKUP_LOCK])
        leave(ana.id)
        work(account_lane)
        assert len(objects_of(storage, ana.id, held)) == 6
        assert tasks()[-1].finished_at is None
    make_due()
    work(account_lane)

    assert objects_of(storage, ana.id, held) == []
    assert tasks()[-1].finished_at is not None

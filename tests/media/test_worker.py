"""The worker as a process of its own: woken, stopped, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from factories import photos
from factories.environment import service_environ
from igloo_common.database import current_engine
from igloo_media.models import MediaItem
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import ask_for_export, fill, leave, make_due, objects_of, rows_of, tasks
from media.conftest import Person, events, item, wait_until

PHOTO = photos.jpeg(1400, 1000)
Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Start workers, and end those that a test has left."""
    environ = service_environ(
        "media",
        database_url=settings.common.database_url,
        s3_endpoint=settings.storage.endpoint or "",
        s3_access_key_id=settings.storage.access_key_id or "",
        s3_secret_access_key=settings.storage.secret_access_key or "",
        broker_url=f"filesystem://{tmp_path}/broker",
        worker_port="0",
    )
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        with log:
            process = subprocess.Popen([sys.executable, "-m", "igloo_media.worker"], env=environ, stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)


def test_an_erasure_survives_every_worker_that_is_killed_over_it(
    ana: Person, ben: Person, storage: Storage, start_worker: Start
) -> None:
    media_ids, others = fill(storage, ana.id, 150), fill(storage, ben.id, 2)
    worker = start_worker()
    leave(ana.id)
    # The rows go a hundred at a time: one worker dies over the first of them, and one over the rest.
    for left in (150, 50):
        wait_until(lambda: tasks()[0].items == 150, "the rows are closed")
        wait_until(partial(_has_at_most, left, ana), "the worker has come so far")
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait(timeout=10)
        make_due()
        worker = start_worker()

    wait_until(lambda: events("media.account.erased.v1"), "the account is erased")
    assert rows_of(ana.id) == 0
    assert objects_of(storage, ana.id, media_ids) == []
    (erased,) = events("media.account.erased.v1")
    assert [each["count"] for each in erased["removed"]] == [150, 450]
    assert len(objects_of(storage, ben.id, others)) == 6


def _has_at_most(rows: int, person: Person) -> bool:
    return rows_of(person.id) <= rows


def test_an_export_is_begun_at_a_word_and_made(ana: Person, storage: Storage, start_worker: Start) -> None:
    (media_id,) = fill(storage, ana.id, 1)
    worker = start_worker()
    part = ask_for_export(ana.id)

    wait_until(lambda: events("media.export.collected.v1"), "the export is collected")

    keys = [found.key for found in storage.listing(part)]
    assert keys == [f"{part}items.json", f"{part}photos/{media_id}.webp"]
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0


def test_an_erasure_that_hangs_keeps_no_photo_waiting(
    ana: Person, ben: Person, storage: Storage, start_worker: Start
) -> None:
    (stuck,) = fill(storage, ana.id, 1)
    start_worker()
    with current_engine().connect() as connection, connection.begin():
        connection.execute(select(MediaItem.id).where(MediaItem.id == stuck).with_for_update())
        leave(ana.id)
        wait_until(lambda: tasks()[0].attempts == 1, "the erasure is begun, and held up")
        (media_id,) = ben.upload(PHOTO)
        wait_until(lambda: item(media_id).state == "ready", "the photo of somebody else is ready")
        assert rows_of(ana.id) == 1
    wait_until(lambda: events("media.account.erased.v1"), "the account is erased")

"""A worker that dies at any point of a photo leaves work that ends the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask

from factories import photos
from factories.environment import service_environ
from factories.s3_faults import Fault, FaultyS3, Rule
from igloo_common.clock import utc_now
from igloo_common.work_folders import remove_abandoned_folders
from igloo_media.images import Renderer
from igloo_media.images.limits import ChildLimits
from igloo_media.jobs import photo_ends, processing
from igloo_media.jobs.processing import PhotoLane
from igloo_media.settings import Settings
from igloo_media.storage import Storage
from media.account_tasks import Killed
from media.bad_hours import assert_made_once
from media.conftest import Person, change, item, run, wait_until

PHOTO = photos.jpeg(200, 150)
Start = Callable[[], "subprocess.Popen[bytes]"]


class Seams:
    """Has a worker die before or after one of the steps of a photo."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, deadly: int) -> None:
        self._deadly, self.passed = deadly, 0
        for owner, name in (
            (Storage, "download"),
            (Renderer, "render"),
            (Storage, "upload"),
            (photo_ends, "finish_ready"),
            (processing, "keep_photo"),
        ):
            monkeypatch.setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def around(*args: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the step takes and gives
            self._pass()
            answer = step(*args, **more)
            self._pass()
            return answer

        return around

    def _pass(self) -> None:
        self.passed += 1
        if self.passed == self._deadly:
            raise Killed


def test_a_worker_that_dies_at_any_seam_leaves_work_that_ends_the_same(
    ana: Person, lane: PhotoLane, storage: Storage
) -> None:
    deadly, results = 0, []
    while True:
        deadly += 1
        (media_id,) = ana.upload(PHOTO)
        with pytest.MonkeyPatch.context() as patches:
            seams = Seams(patches, deadly=deadly)
            try:
                lane.step()
                break
            except Killed:
                assert seams.passed == deadly
        # The last seam is behind the commit: nothing is left to be done.
        if item(media_id).state != "ready":
            assert run(lane) == 0, "the lease still runs"
            change(media_id, due_at=utc_now())
            assert run(lane) == 1
        assert_made_once(ana, media_id, storage)
        row = item(media_id)
        results.append((row.width, row.height, row.blurhash, row.dominant_color, row.content_sha256))

    # Before and after: the download, the child, three uploads, the row, and the commit around it.
    assert len(results) == 2 * 7
    assert len(set(results)) == 1


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the place where workers make their folders."""
    place = tmp_path / "folders"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture
def start(settings: Settings, tmp_path: Path, folders: Path, faulty: FaultyS3) -> Iterator[Start]:
    """Start workers that reach S3 through the proxy, and end those that a test has left."""
    environ = service_environ(
        "media",
        database_url=settings.common.database_url,
        s3_endpoint=faulty.url,
        s3_access_key_id=settings.storage.access_key_id or "",
        s3_secret_access_key=settings.storage.secret_access_key or "",
        broker_url=f"filesystem://{tmp_path}/broker",
        worker_port="0",
    )
    environ["TMPDIR"] = str(folders)
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "igloo_media.worker"], env=environ, stderr=log)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait(timeout=10)


def kill(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Kill a worker as the system does when memory is short; return the children that it had."""
    children = psutil.Process(worker.pid).children()
    for child in children:
        # As if in the middle of a photo: it cannot see that nobody listens any more.
        child.suspend()
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(timeout=10)
    return children


def leftovers(folders: Path) -> list[str]:
    return [each.name for each in folders.iterdir() if each.name.startswith("igloo-")]


def test_killed_workers_leave_the_photo_to_the_next_and_nothing_else(
    ana: Person, lane: PhotoLane, start: Start, faulty: FaultyS3, folders: Path
) -> None:
    (media_id,) = ana.upload(PHOTO)
    # The first dies while the original comes, the second when two of three renditions are in S3.
    for method, key in (("GET", "originals/*"), ("PUT", "*/full.webp")):
        _killed_at(faulty.break_down(Fault.HANG, method=method, key=key), start())
        faulty.heal()
        assert item(media_id).state == "processing"
        assert len(leftovers(folders)) == 1, "what the one before had left is cleared away"
        change(media_id, due_at=utc_now())

    assert remove_abandoned_folders() == 1
    assert run(lane) == 1

    assert item(media_id).attempts == 3
    assert leftovers(folders) == []
    assert_made_once(ana, media_id, lane.storage)


def _killed_at(rule: Rule, worker: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: rule.done, "the worker has come so far")
    children = kill(worker)
    wait_until(lambda: not any(map(_lives, children)), "its child is gone with it")


def _lives(child: psutil.Process) -> bool:
    return child.is_running() and child.status() != psutil.STATUS_ZOMBIE


def test_a_worker_told_to_stop_finishes_its_photo_first(
    ana: Person, start: Start, storage: Storage, faulty: FaultyS3, folders: Path
) -> None:
    (first,) = ana.upload(photos.jpeg(64, 48))
    worker = start()
    wait_until(lambda: item(first).state == "ready", "the waiting photo is ready")
    rule = faulty.break_down(Fault.HANG, method="PUT", key="*/full.webp")
    (media_id,) = ana.upload(PHOTO)
    wait_until(lambda: rule.done, "the worker is at the last upload of the next one")
    (child,) = psutil.Process(worker.pid).children()

    worker.send_signal(signal.SIGTERM)
    faulty.heal()

    assert worker.wait(timeout=30) == 0
    wait_until(lambda: not _lives(child), "its child is gone")
    assert leftovers(folders) == []
    assert_made_once(ana, media_id, storage)


def test_a_photo_that_cannot_be_finished_in_time_is_given_back_at_once(
    app: Flask, ana: Person, storage: Storage
) -> None:
    (warm,) = ana.upload(PHOTO)
    (media_id,) = ana.upload(photos.jpeg(64, 48))
    lane = PhotoLane(storage=storage, limits=ChildLimits())

    def work() -> None:
        with app.app_context():
            lane.step()
            os.kill(lane.children[0], signal.SIGSTOP)
            lane.step()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: item(media_id).state == "processing", "the photo is begun")
    assert item(warm).state == "ready"

    lane.give_up()
    thread.join(timeout=10)
    assert not thread.is_alive(), "it has seen that its child is gone"

    row = item(media_id)
    assert (row.state, row.attempts, row.claim_id) == ("uploaded", 0, None)
    assert row.due_at <= utc_now(), "the next worker need not wait"
    assert run(lane) == 1
    lane.close()
    assert_made_once(ana, media_id, storage)

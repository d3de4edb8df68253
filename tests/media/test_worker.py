"""The worker as a process of its own: woken, stopped, and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from factories import photos
from factories.environment import service_environ
from igloo_common.clock import utc_now
from igloo_media.jobs.processing import PhotoLane
from igloo_media.settings import Settings
from media.conftest import Person, change, item, run, wait_until

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


def child_of(worker: subprocess.Popen[bytes]) -> psutil.Process | None:
    children = [
        child
        for child in psutil.Process(worker.pid).children()
        if "igloo_media.images.child" in child.cmdline()
    ]
    return children[0] if children else None


def test_a_worker_makes_photos_and_stops_cleanly_with_its_child(ana: Person, start_worker: Start) -> None:
    (first,) = ana.upload(PHOTO)
    worker = start_worker()
    wait_until(lambda: item(first).state == "ready", "the waiting photo is ready")
    (second,) = ana.upload(PHOTO)
    wait_until(lambda: item(second).state == "ready", "the next photo is ready")
    child = child_of(worker)
    assert child is not None

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=30) == 0
    wait_until(lambda: not child.is_running(), "the child is gone")


def test_a_killed_worker_leaves_its_photo_to_the_next_one_and_no_child(
    ana: Person, lane: PhotoLane, start_worker: Start
) -> None:
    (warm,) = ana.upload(PHOTO)
    worker = start_worker()
    wait_until(lambda: item(warm).state == "ready", "the worker is warm")
    child = child_of(worker)
    assert child is not None
    child.suspend()
    (media_id,) = ana.upload(PHOTO)
    wait_until(lambda: item(media_id).state == "processing", "the photo is claimed")

    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(timeout=10)
    child.resume()

    wait_until(lambda: not child.is_running(), "the child has seen that nobody listens")
    assert run(lane) == 0, "the lease still runs"
    change(media_id, due_at=utc_now())
    assert run(lane) == 1
    assert ana.media(media_id)["state"] == "ready"

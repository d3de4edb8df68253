"""The auth worker over exports and erasures, killed and started again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from auth.export_room import PHOTO, ExportRoom, downloaded
from auth.outboxes import published
from auth.phones import Phone
from auth.processes import WORKER, free_port, running
from factories.polling import wait_until
from igloo_auth.operations.export_tasks import LEASE
from igloo_common.object_store import ObjectStore

PHOTOS = 60
DONE = "SELECT true FROM account_deletion_steps WHERE service = 'auth' AND completed_at IS NOT NULL"


@pytest.fixture
def environ(environ: dict[str, str], s3_environ: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Give the worker a real S3, and a broker that nobody else has."""
    broker = tmp_path / "broker"
    broker.mkdir()
    return {**environ, **s3_environ, "IGLOO_BROKER_URL": f"filesystem://{broker}"}


@pytest.fixture
def room(app: Flask, store: ObjectStore, session: Session) -> ExportRoom:
    """Give a room for exports."""
    return ExportRoom(app=app, store=store, session=session)


@contextmanager
def worker(room: ExportRoom, environ: dict[str, str]) -> Iterator[None]:
    """Run a worker, and kill it with signal 9 at the end of the block."""
    port = free_port()
    # A start takes a while, and PostgreSQL ends transactions that do nothing.
    room.session.rollback()
    with running(
        WORKER, {**environ, "IGLOO_WORKER_PORT": str(port)}, ready_at=f"http://127.0.0.1:{port}/healthz"
    ):
        yield


def changed(room: ExportRoom, export: dict[str, Any], before: object) -> bool:
    """Tell whether a worker has touched the export's row."""
    return bool(room.row(export) != before)


def erased(room: ExportRoom) -> bool:
    """Tell whether auth's step of the deletion is done."""
    done = bool(room.session.scalar(text(DONE)))
    room.session.rollback()
    return done


def test_a_worker_killed_over_an_export_again_and_again_ends_with_one_whole_archive(
    phone: Phone, room: ExportRoom, environ: dict[str, str]
) -> None:
    export = room.ask(phone)
    room.put_parts(export, {"media": {f"photos/{n}.webp": PHOTO for n in range(PHOTOS)}})
    room.deliver_parts(export)

    for _ in range(2):
        before = room.row(export)
        with worker(room, environ):
            wait_until(partial(changed, room, export, before), "a worker takes the export")
        room.let_time_pass(LEASE)
    with worker(room, environ):
        wait_until(lambda: room.look(phone, export)["state"] == "ready", "the archive is made")
        room.let_time_pass(LEASE)
        wait_until(lambda: room.objects(export) == ["archive.zip"], "the parts are gone", seconds=30)

    archive = downloaded(room.look(phone, export))
    assert archive.testzip() is None
    assert len([name for name in archive.namelist() if name.startswith("media/photos/")]) == PHOTOS


def test_a_worker_killed_over_an_erasure_leaves_it_to_the_next(
    phone: Phone, room: ExportRoom, environ: dict[str, str]
) -> None:
    export = room.ready(phone)
    phone.delete("/v1/account")

    with worker(room, environ):
        pass
    with worker(room, environ):
        wait_until(lambda: erased(room), "auth's step is done")

    assert room.objects(export) == []
    assert len(published(room.session, "auth.account.deleted.v1")) == 1


def test_the_worker_itself_forgets_an_archive_whose_time_is_over(
    phone: Phone, room: ExportRoom, environ: dict[str, str]
) -> None:
    export = room.ready(phone)
    room.let_time_pass(timedelta(days=7))

    with worker(room, environ):
        wait_until(lambda: room.row(export).state == "expired", "the export expires")

    assert room.objects(export) == []

"""The lane that collects what is held about people who want a copy, and puts it into S3."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson

from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import StorageUnavailable
from igloo_common.work_folders import work_folder
from igloo_social.operations.account_tasks import claim_due_export, finish_export, put_off
from igloo_social.queries.export_sections import SECTIONS
from igloo_social.queries.exports import hold_snapshot, is_living, section_rows

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from igloo_common.object_store import ObjectStore
    from igloo_social.operations.account_tasks import Task

JSON = "application/json; charset=utf-8"

logger = logging.getLogger(__name__)


@dataclass
class ExportLane:
    """Collects copies, one at a time: none is in memory as a whole, and no transaction waits for S3."""

    store: ObjectStore

    def step(self) -> bool:
        """Collect the next copy; False when none is due.

        A worker killed over it leaves the copy to the next one, which writes the same objects over.
        """
        with transaction() as session:
            task = claim_due_export(session, now=utc_now())
        if task is not None:
            self._work(task)
        return task is not None

    def _work(self, task: Task) -> None:
        try:
            self._collect(task)
        except StorageUnavailable as outage:
            logger.warning("A copy waits for S3.", extra={**_put_off(task), "reason": str(outage)})
        except Exception:
            extra = _put_off(task)
            logger.exception("Collecting a copy failed and is tried again.", extra=extra)

    def _collect(self, task: Task) -> None:
        with work_folder() as folder:
            files = write_sections(task, folder)
            for file in files:
                self.store.put_file(_key(task, file.name), file, content_type=JSON)
        with reading() as reader:
            gone = not is_living(reader, task.account_id)
        if gone:
            self.store.remove([_key(task, f"{name}.json") for name in SECTIONS])
            logger.info("Nothing to collect: there is no such person here.", extra={"task_id": str(task.id)})
        with transaction() as session:
            finish_export(session, task, now=utc_now())


def write_sections(task: Task, folder: Path) -> Sequence[Path]:
    """Write what is held about a person into files, all as of one moment; none when they are deleted."""
    with transaction() as session:
        hold_snapshot(session)
        if not is_living(session, task.account_id):
            return []
        rows_of = partial(section_rows, session, user_id=task.account_id)
        return [_written(folder / f"{name}.json", rows_of(name)) for name in SECTIONS]


def _written(file: Path, rows: Generator[Mapping[str, object]]) -> Path:
    """Write rows as a JSON array, one a line, as they come."""
    with file.open("wb") as output, closing(rows):
        output.write(b"[")
        for number, row in enumerate(rows):
            output.write(b",\n" if number else b"\n")
            output.write(orjson.dumps(row, option=orjson.OPT_UTC_Z))
        output.write(b"\n]\n")
    return file


def _key(task: Task, name: str) -> str:
    return f"{task.parts_prefix}social/{name}"


def _put_off(task: Task) -> dict[str, object]:
    with transaction() as session:
        pause = put_off(session, task, now=utc_now())
    return {"task_id": str(task.id), "attempts": task.attempts + 1, "pause_seconds": round(pause, 1)}

"""Makes exports: collects auth's own part, puts archives together, removes them when time is up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson

from igloo_auth.archives.zips import archived_files, write_archive
from igloo_auth.operations.account_exports import collect_part
from igloo_auth.operations.export_tasks import (
    LEASE,
    ExportTask,
    await_parts,
    expire_export,
    fail_export,
    keep_export,
    put_off_export,
    record_archive,
    record_tidied,
    take_export,
)
from igloo_auth.policies.exports import (
    OWN_SERVICE,
    ExportStep,
    archive_key,
    objects_prefix,
    parts_prefix,
)
from igloo_auth.queries.account_exports import exports_with_objects
from igloo_auth.queries.holdings import holdings_of
from igloo_common.backoff import backoff_seconds
from igloo_common.clock import utc_now
from igloo_common.database import reading, transaction
from igloo_common.object_store import ObjectStore, StorageUnavailable
from igloo_common.work_folders import work_folder

log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS: Final = 300.0
# Nothing renews the lease while one large file is on its way to S3.
_UPLOAD_LEASE: Final = timedelta(minutes=15)
_JSON: Final = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z


class ExportEnded(Exception):
    """The export ended while it was worked on: its account was deleted, or another worker was quicker."""


class ExportLane:
    """Does the next step of the export that is due for the longest time, one at a time.

    Every step writes the same objects again when it is repeated and is noted only afterwards, so that a
    worker may die anywhere in it.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._steps: dict[ExportStep, Callable[[ExportTask], None]] = {
            ExportStep.COLLECT: self._collect,
            ExportStep.WAIT: self._wait,
            ExportStep.ARCHIVE: self._archive,
            ExportStep.TIDY: self._tidy,
            ExportStep.FAIL: self._fail,
            ExportStep.EXPIRE: self._expire,
        }

    def step(self) -> bool:
        """Do one step of one export; False when none is due."""
        with transaction() as session:
            task = take_export(session, now=utc_now())
        if task is None:
            return False
        try:
            self._steps[task.step](task)
        except ExportEnded:
            log.info("An export ended while it was made", extra={"export_id": str(task.export_id)})
        except StorageUnavailable as error:
            self._put_off(task, error)
        except Exception as error:  # noqa: BLE001 - one export that cannot be made must not hold the others up
            self._put_off(task, error)
        return True

    def _collect(self, task: ExportTask) -> None:
        with reading() as connection:
            files = holdings_of(connection, account_id=task.account_id)
        prefix = f"{parts_prefix(task.export_id)}{OWN_SERVICE}/"
        for name, content in files.items():
            self._store.put(
                prefix + name, orjson.dumps(content, option=_JSON), content_type="application/json"
            )
        with transaction() as session:
            collect_part(
                session,
                export_id=task.export_id,
                account_id=task.account_id,
                service=OWN_SERVICE,
                now=utc_now(),
            )

    def _wait(self, task: ExportTask) -> None:
        with transaction() as session:
            await_parts(session, export_id=task.export_id)

    def _archive(self, task: ExportTask) -> None:
        with work_folder() as folder:
            archive = folder / "archive.zip"
            prefix = parts_prefix(task.export_id)
            write_archive(
                archive,
                store=self._store,
                files=archived_files(list(self._store.listing(prefix)), prefix=prefix),
                made_at=utc_now(),
                after_each=_Lease(task.export_id).keep,
            )
            _keep(task.export_id, _UPLOAD_LEASE)
            self._store.put_file(archive_key(task.export_id), archive, content_type="application/zip")
            archive_bytes = archive.stat().st_size
        with transaction() as session:
            recorded = record_archive(
                session, export_id=task.export_id, archive_bytes=archive_bytes, now=utc_now()
            )
        if not recorded:
            self._remove_unless_wanted(task.export_id)
            raise ExportEnded

    def _tidy(self, task: ExportTask) -> None:
        self._store.remove_below(parts_prefix(task.export_id))
        with transaction() as session:
            record_tidied(session, export_id=task.export_id)

    def _fail(self, task: ExportTask) -> None:
        with transaction() as session:
            fail_export(session, export_id=task.export_id)
        log.error("An export was not made in time", extra={"export_id": str(task.export_id)})
        self._store.remove_below(objects_prefix(task.export_id))

    def _expire(self, task: ExportTask) -> None:
        self._store.remove_below(objects_prefix(task.export_id))
        with transaction() as session:
            expire_export(session, export_id=task.export_id)

    def _remove_unless_wanted(self, export_id: UUID) -> None:
        """Remove what was made for an export that has ended; not the archive that another worker recorded."""
        with reading() as connection:
            wanted = exports_with_objects(connection, export_ids=[export_id])
        if not wanted:
            self._store.remove_below(objects_prefix(export_id))

    def _put_off(self, task: ExportTask, error: Exception) -> None:
        pause = backoff_seconds(task.attempts, cap=_LONGEST_PAUSE_SECONDS)
        log.warning(
            "A step of an export failed and is repeated",
            extra={"export_id": str(task.export_id), "step": task.step.value, "attempts": task.attempts},
            exc_info=error,
        )
        with transaction() as session:
            put_off_export(session, task=task, until=utc_now() + timedelta(seconds=pause))


class _Lease:
    """Renews the lease of an export that is being worked on, when half of it is over."""

    def __init__(self, export_id: UUID) -> None:
        self._export_id = export_id
        self._renew_at = utc_now() + LEASE / 2

    def keep(self) -> None:
        """Go on holding the export.

        Raises:
            ExportEnded: When there is no use in going on.
        """
        if utc_now() >= self._renew_at:
            _keep(self._export_id, LEASE)
            self._renew_at = utc_now() + LEASE / 2


def _keep(export_id: UUID, span: timedelta) -> None:
    with transaction() as session:
        if not keep_export(session, export_id=export_id, until=utc_now() + span):
            raise ExportEnded

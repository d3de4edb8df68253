"""The lane of tasks about whole accounts: one unit of work a step, so that tasks take turns."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from igloo_common.backoff import backoff_seconds
from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_common.object_store import StorageUnavailable
from igloo_media.jobs.erasure import erase_some
from igloo_media.jobs.export import export_some
from igloo_media.models import TaskKind
from igloo_media.operations.account_tasks import Task, take_task, try_again_later
from igloo_media.policies.account_tasks import LONGEST_PAUSE_SECONDS, UNIT_SECONDS
from igloo_media.storage import Storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AccountTaskLane:
    """Works off erasures and exports.

    A worker killed at any point leaves its task leased for a minute; then it is taken up where it was, and
    what was done twice ends the same.
    """

    storage: Storage

    def step(self) -> bool:
        """Do one unit of the next task; False when none is due."""
        with transaction() as session:
            task = take_task(session, now=utc_now())
        if task is not None:
            self._work(task)
        return task is not None

    def _work(self, task: Task) -> None:
        unit = erase_some if task.kind == TaskKind.ERASURE else export_some
        try:
            unit(self.storage, task, until=monotonic() + UNIT_SECONDS)
        except StorageUnavailable as outage:
            pause = timedelta(seconds=backoff_seconds(task.attempts, cap=LONGEST_PAUSE_SECONDS))
            log.warning(
                "storage is out, an account's task waits",
                extra={"task_id": task.id, "kind": task.kind, "reason": str(outage), "pause": str(pause)},
            )
            with transaction() as session:
                try_again_later(session, task, due_at=utc_now() + pause)

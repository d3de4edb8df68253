"""The lane that erases people whose account was deleted: a batch a step, a transaction a batch."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from igloo_common.clock import utc_now
from igloo_common.database import transaction
from igloo_social.operations.account_tasks import finish_erasure, lock_due_erasure, note_removed, put_off
from igloo_social.operations.erasure import erase_batch

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from igloo_social.operations.account_tasks import Task

logger = logging.getLogger(__name__)


def erase_next() -> bool:
    """Remove the next batch of what is left of somebody; False when nobody is to be erased now.

    Batch and count commit together: a worker killed at any moment has done both or neither, and another goes
    on with what is left. One who cannot be erased just now keeps nobody else waiting.
    """
    now, task = utc_now(), None
    try:
        with transaction() as session:
            task = lock_due_erasure(session, now=now)
            if task is not None:
                _erase(session, task, now)
    except Exception as error:
        if task is None:
            raise
        _put_off(task, error)
    return task is not None


def _erase(session: Session, task: Task, now: datetime) -> None:
    removed = erase_batch(session, account_id=task.account_id)
    if removed:
        note_removed(session, task, removed, now=now)
        return
    finish_erasure(session, task, now=now)
    logger.info("A person has been erased.", extra={"task_id": str(task.id), "removed": dict(task.removed)})


def _put_off(task: Task, error: Exception) -> None:
    with transaction() as session:
        pause = put_off(session, task, now=utc_now())
    logger.error(
        "Erasing a person failed and is tried again.",
        extra={"task_id": str(task.id), "attempts": task.attempts + 1, "pause_seconds": round(pause, 1)},
        exc_info=error,
    )
